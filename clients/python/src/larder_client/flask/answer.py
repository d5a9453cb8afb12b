"""What an answer tells larder: its tags, how long it may be kept, what it has changed."""

from __future__ import annotations

import logging

from flask import Response, request

from ..answer import (
    SAFE_METHODS,
    forbidden,
    said,
    write_invalidation,
    write_lifetime,
    write_tags,
)
from ..cache_control import LIFETIME_FIELD
from .exchange import Exchange
from .state import State

logger = logging.getLogger("larder_client")


def complete(state: State, exchange: Exchange, response: Response) -> None:
    """Adds the fields to an answer. Raises nothing: what goes wrong is logged, and not kept."""
    try:
        if exchange.holding:
            _record_holding(exchange)
        if request.method in SAFE_METHODS:
            _tell_lifetime(exchange, response)
        _tell_changes(state, exchange, response)
        # Last, for a page with too many tags isn't kept.
        if response.status_code < 500:
            write_tags(response.headers, exchange.collected)
    except Exception:
        logger.exception("larder can't be told about %s; it does not keep the answer", request.path)
        response.headers[LIFETIME_FIELD] = "no-store"


def _record_holding(exchange: Exchange) -> None:
    from ..sqlalchemy import record_holding

    logger.warning(
        "a session of SQLAlchemy holds objects from before the request to %s: it is tagged by "
        "whole tables. Close sessions at the end of each request (scoped_session.remove)",
        request.path,
    )
    record_holding(exchange.collected, exchange.holding)


def _tell_changes(state: State, exchange: Exchange, response: Response) -> None:
    """Has larder forget what was changed before it hands the answer on."""
    tags = exchange.committed.union(*(purge.tags for purge in exchange.purges))
    options = state.settings.options
    unsafe = request.method not in SAFE_METHODS and response.status_code < 400
    if unsafe and options.enabled:
        write_invalidation(response.headers, tags, options)


def _tell_lifetime(exchange: Exchange, response: Response) -> None:
    streams = _reads_while_it_streams(response)
    if streams:
        # It may look at the session yet, and then says nothing of that any more.
        response.vary.add("Cookie")
    wanted = exchange.collected.cache
    if wanted is None or not _may_be_kept(response.status_code):
        if streams and not exchange.tagged_by_hand and LIFETIME_FIELD not in response.headers:
            response.headers[LIFETIME_FIELD] = "no-store"
        return
    exchange.refusals += _against(exchange, response)
    if exchange.refusals:
        logger.info("%s is not kept: %s", request.path, "; ".join(exchange.refusals))
        response.headers[LIFETIME_FIELD] = "no-store"
        return
    write_lifetime(response.headers, wanted)


def _may_be_kept(status: int) -> bool:
    """Pages, redirects, and pages that aren't there: they bear the tags of what was looked for."""
    return 200 <= status < 400 or status in (404, 410)


def _against(exchange: Exchange, response: Response) -> list[str]:
    """Why an answer must not be kept though its view asks for it."""
    reasons = forbidden(response.headers)
    if "*" in said(response.headers, "Vary"):
        reasons.append("it says Vary: *")
    if _reads_while_it_streams(response) and not exchange.tagged_by_hand:
        logger.warning(
            "%s streams its answer: what it reads meanwhile comes too late for tags, so larder "
            "does not keep it. Name them: @larder.cached(..., tags=[...])",
            request.path,
        )
        reasons.append("it streams, and no tags were given")
    return reasons


def _reads_while_it_streams(response: Response) -> bool:
    if response.direct_passthrough:  # a file
        return False
    # What `abort` makes looks like a stream, too.
    aborted = response.status_code >= 300 and response.content_length is not None
    return response.is_streamed and not aborted
