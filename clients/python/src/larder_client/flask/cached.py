"""`@larder.cached`: how long larder keeps the answers of a view."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from werkzeug.exceptions import HTTPException

from flask import current_app, request

from ..cache_control import CacheControl, Duration
from ..tags import check_tag
from .exchange import Exchange, exchange_of
from .routed import note

logger = logging.getLogger("larder_client")

View = TypeVar("View", bound=Callable[..., Any])
#: Tags, or a function that makes them of what the view is given.
Tags = Iterable[str] | Callable[..., Iterable[str]]


def cached(
    ttl: Duration,
    *,
    swr: Duration | None = None,
    sie: Duration | None = None,
    browser_ttl: Duration = 0,
    tags: Tags = (),
) -> Callable[[View], View]:
    """Has larder keep a view's answers to GET and HEAD for `ttl`, or until a tag is purged.

    Times are seconds, a timedelta, or a text such as "5m". Past `ttl` answers are served for `swr`
    while a new one is fetched, and for `sie` in place of an error. Browsers keep them for
    `browser_ttl`, where no purge reaches them; 0 has them ask each time. `tags` are added to those
    that reading from the database leaves: a list, or a function that is called with the arguments
    of the view.

    It stands below `@app.route`, above decorators that decide who may see the page. Errors but 404
    and 410, what a handler makes of other errors, and what says `private` or `no-store`, are not
    kept. Raises ValueError or TypeError where it stands if an argument makes no sense.
    """
    wanted = CacheControl(ttl=ttl, swr=swr, sie=sie, browser_ttl=browser_ttl)
    if isinstance(tags, str):
        raise TypeError(f"tags is to be a list of tags, not the string {tags!r}")
    if not callable(tags):
        tags = tuple(tags)
        for tag in tags:
            check_tag(tag)

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def answer_async(*args: Any, **kwargs: Any) -> Any:
                _keep(wanted, tags, args, kwargs)
                with _failing():
                    return await view(*args, **kwargs)

            note(view, answer_async)
            return answer_async  # type: ignore[return-value]

        @functools.wraps(view)
        def answer(*args: Any, **kwargs: Any) -> Any:
            _keep(wanted, tags, args, kwargs)
            with _failing():
                return view(*args, **kwargs)

        note(view, answer)
        return answer  # type: ignore[return-value]

    return decorate


@contextmanager
def _failing() -> Iterator[None]:
    """Has what an error handler makes of a view's error not kept: it is about this one request."""
    try:
        yield
    except Exception as error:
        exchange = exchange_of(current_app._get_current_object())  # type: ignore[attr-defined]
        if exchange is not None and not _is_about_the_page(error):
            exchange.refusals.append(f"its view raised {type(error).__name__}")
        raise


def _is_about_the_page(error: Exception) -> bool:
    """Whether it says that there is no such page, or where it is."""
    if not isinstance(error, HTTPException):
        return False
    code = error.get_response().status_code
    return code < 400 or code in (404, 410)


def _keep(wanted: CacheControl, tags: Tags, args: Any, kwargs: Any) -> None:
    if request.method not in ("GET", "HEAD"):
        return
    exchange = exchange_of(current_app._get_current_object())  # type: ignore[attr-defined]
    if exchange is None:
        if "larder" not in current_app.extensions:
            logger.warning(
                "%s is @larder.cached, but the application has no larder.init_app(app): "
                "it says nothing about its keeping",
                request.path,
            )
        return
    exchange.collected.cache = wanted
    _tag(exchange, tags, args, kwargs)


def _tag(exchange: Exchange, tags: Tags, args: Any, kwargs: Any) -> None:
    try:
        given = tags(*args, **kwargs) if callable(tags) else tags
        if isinstance(given, str):
            raise TypeError(f"they are to be a list of tags, not the string {given!r}")
        named = list(given)
        exchange.collected.add(*named)
        exchange.tagged_by_hand = exchange.tagged_by_hand or bool(named)
    except Exception:
        logger.exception("the tags of @larder.cached can't be used, so larder does not keep a page")
        exchange.refusals.append("the tags of @larder.cached can't be used: see the log")
