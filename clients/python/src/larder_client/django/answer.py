"""What an answer tells larder: its tags, how long it keeps, what it outdates, what to fill in."""

from __future__ import annotations

import logging

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.utils.cache import has_vary_header, patch_vary_headers

from larder_client.answer import (
    SAFE_METHODS,
    forbidden,
    write_invalidation,
    write_lifetime,
    write_tags,
)
from larder_client.cache_control import LIFETIME_FIELD

from . import conf, forms
from .exchange import Exchange

logger = logging.getLogger("larder_client")

_STREAMS = "it streams, and no tags were given"


def complete(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> None:
    """Adds the fields to an answer. Raises nothing: what goes wrong is logged, and not kept."""
    try:
        conf.watch_outbox()
        if conf.larder().problem:
            # Nothing could be purged, so nothing is to be kept for long.
            exchange.refusals.append("settings.LARDER can't be used: see `manage.py check`")
        forms.complete(request, response, exchange.fill)
        if request.method in SAFE_METHODS:
            _tell_lifetime(request, response, exchange)
        else:
            _tell_changes(response, exchange)
        # Last, for a page with too many tags isn't kept.
        if response.status_code < 500:
            # Beside those that the view has written, or Django's own cache has kept with the page.
            write_tags(response.headers, exchange.collected)
    except Exception:
        logger.exception("larder can't be told about %s; it does not keep the answer", request.path)
        response.headers[LIFETIME_FIELD] = "no-store"
        forms.withdraw(response)


def _tell_changes(response: HttpResponseBase, exchange: Exchange) -> None:
    """Read your own writes: larder forgets these before it hands the answer on.

    Whatever its status: what is committed is committed.
    """
    tags = {tag for purge in exchange.purges for tag in purge.tags}
    if tags:
        write_invalidation(response.headers, tags, conf.larder().proxy)


def _tell_lifetime(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> None:
    # The view's own answer was good; what came of it since may be an error.
    wanted = exchange.collected.cache if response.status_code < 400 else None
    streams = _reads_while_it_streams(response)
    if wanted is not None:
        exchange.refusals.extend(_against(request, response, exchange))
    elif streams and not exchange.tagged_by_hand:
        exchange.refusals.append(_STREAMS)
    if streams:
        # It may look at the session or the user yet, which no middleware will see.
        patch_vary_headers(response, ["Cookie"])
    if _shows_messages(request):
        exchange.refusals.append("it shows messages (django.contrib.messages) to one visitor")
    if exchange.refusals:
        if not response.has_header(LIFETIME_FIELD) or wanted is not None:
            response.headers[LIFETIME_FIELD] = "no-store"
        return
    if wanted is not None:
        write_lifetime(response.headers, wanted)


def _against(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> list[str]:
    """Why an answer must not be kept though the decorator asks for it."""
    reasons = forbidden(response.headers)
    if has_vary_header(response, "*"):
        reasons.append("it says Vary: *")
    if _reads_while_it_streams(response) and not exchange.tagged_by_hand:
        conf.notices.say(
            logging.WARNING,
            "streaming",
            "%s streams its answer: what it reads meanwhile comes too late for tags, so larder "
            "does not keep it. Name them: @larder_cache(..., tags=[...])",
            request.path,
        )
        reasons.append(_STREAMS)
    return reasons


def _reads_while_it_streams(response: HttpResponseBase) -> bool:
    return bool(response.streaming) and not isinstance(response, FileResponse)


def _shows_messages(request: HttpRequest) -> bool:
    messages = getattr(request, "_messages", ())
    return bool(getattr(messages, "used", False)) and len(messages) > 0
