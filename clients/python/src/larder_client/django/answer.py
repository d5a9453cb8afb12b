"""What an answer tells larder: its tags, how long it keeps, what it outdates, what to fill in."""

from __future__ import annotations

import logging

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.utils.cache import has_vary_header

from larder_client import TAG_FIELD, CacheControl, emit, invalidation

from . import conf, forms
from .exchange import Exchange

logger = logging.getLogger("larder_client")

#: The field that speaks to larder alone (RFC 9213).
LIFETIME_FIELD = "Larder-Cache-Control"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "QUERY")


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
        _tell_tags(response, exchange)
    except Exception:
        logger.exception("larder can't be told about %s; it does not keep the answer", request.path)
        response.headers[LIFETIME_FIELD] = "no-store"
        forms.withdraw(response)


def _tell_tags(response: HttpResponseBase, exchange: Exchange) -> None:
    if response.status_code >= 500:
        return
    # Those that the view has written, or that Django's own cache has kept with the page.
    before = response.headers.get(TAG_FIELD)
    for name, value in emit(exchange.collected):
        response.headers[name] = f"{before},{value}" if before and name == TAG_FIELD else value


def _tell_changes(response: HttpResponseBase, exchange: Exchange) -> None:
    """Read your own writes: larder forgets these before it hands the answer on.

    Whatever its status: what is committed is committed.
    """
    tags = {tag for purge in exchange.purges for tag in purge.tags}
    if tags:
        for name, value in invalidation(tags, conf.larder().proxy):
            response.headers[name] = value


def _tell_lifetime(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> None:
    # The view's own answer was good; what came of it since may be an error.
    wanted = exchange.collected.cache if response.status_code < 400 else None
    if wanted is not None:
        exchange.refusals.extend(_against(request, response, exchange))
    if _shows_messages(request):
        exchange.refusals.append("it shows messages (django.contrib.messages) to one visitor")
    if exchange.refusals:
        if not response.has_header(LIFETIME_FIELD) or wanted is not None:
            response.headers[LIFETIME_FIELD] = "no-store"
        return
    if wanted is not None:
        _state(response, wanted)


def _state(response: HttpResponseBase, wanted: CacheControl) -> None:
    for name, value in wanted.fields():
        # What the view itself says to browsers stands.
        if name.lower() != "cache-control" or not response.has_header(name):
            response.headers[name] = value


def _against(request: HttpRequest, response: HttpResponseBase, exchange: Exchange) -> list[str]:
    """Why an answer must not be kept though the decorator asks for it."""
    reasons = []
    directives = response.headers.get("Cache-Control", "").lower()
    if "private" in directives or "no-store" in directives:
        reasons.append(f"the view says Cache-Control: {directives}")
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
        reasons.append("it streams, and no tags were given")
    return reasons


def _reads_while_it_streams(response: HttpResponseBase) -> bool:
    return bool(response.streaming) and not isinstance(response, FileResponse)


def _shows_messages(request: HttpRequest) -> bool:
    messages = getattr(request, "_messages", ())
    return bool(getattr(messages, "used", False)) and len(messages) > 0
