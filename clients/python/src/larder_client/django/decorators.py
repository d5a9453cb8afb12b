"""`@larder_cache`: how long larder keeps the answers of a view."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from larder_client import CacheControl, Duration, check_tag

from . import conf
from .exchange import Exchange, exchange_of

logger = logging.getLogger("larder_client")

#: Tags, or what works them out from what the view is given (a function or an async one).
Tags = Iterable[str] | Callable[..., Iterable[str] | Awaitable[Iterable[str]]]
View = Callable[..., Any]


def larder_cache(
    ttl: Duration,
    *,
    swr: Duration | None = None,
    sie: Duration | None = None,
    browser_ttl: Duration = 0,
    tags: Tags = (),
) -> Callable[[View], View]:
    """Has larder keep a view's answers to GET and HEAD for `ttl`, or until a tag is purged.

    Past `ttl` they are served for `swr` while a new one is fetched, and for `sie` in place of an
    error. Browsers keep them for `browser_ttl`, where no purge reaches them; 0 has them ask each
    time. `tags` are added to those that reading from the database leaves: a list of them, or a
    function that is called as the view is, after it.

    Answers of 400 and above, with `private` or `no-store`, or with a visitor's messages are not
    kept. Views may be functions, async functions or what `as_view()` makes; methods take
    `@method_decorator`. Raises ValueError or TypeError where it stands if an argument makes no
    sense.
    """
    if not callable(tags):
        tags = _checked(tags)
    wish = _Wish(CacheControl(ttl=ttl, swr=swr, sie=sie, browser_ttl=browser_ttl), tags)

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @functools.wraps(view)
            async def answer_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                response = view(request, *args, **kwargs)
                return await wish.keep_async(response, request, *args, **kwargs)

            return answer_async

        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            response = view(request, *args, **kwargs)
            if isawaitable(response):  # `dispatch` of a class whose handlers are async
                return wish.keep_async(response, request, *args, **kwargs)
            exchange = _to_keep(request, response)
            if exchange is not None:
                wish.tell(exchange, lambda: wish.tags_for(request, *args, **kwargs))
            return response

        return answer

    return decorate


@dataclass(frozen=True)
class _Wish:
    """What a decorator asks for."""

    cache: CacheControl
    tags: Tags

    async def keep_async(
        self, response: Awaitable[HttpResponseBase], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Awaits an answer, and what gives its tags."""
        answer = await response
        exchange = _to_keep(request, answer)
        if exchange is not None:
            try:
                tags = self.tags_for(request, *args, **kwargs)
                if isawaitable(tags):
                    tags = await tags
            except Exception:
                _refuse(exchange)
            else:
                self.tell(exchange, lambda: tags)
        return answer

    def tags_for(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The tags of one answer. Raises whatever the function raises that gives them."""
        return self.tags(request, *args, **kwargs) if callable(self.tags) else self.tags

    def tell(self, exchange: Exchange, tags: Callable[[], Any]) -> None:
        """Leaves the wish to the middleware. Tags that can't be had fail no page."""
        try:
            given = _checked(tags())
        except Exception:
            _refuse(exchange)
            return
        exchange.collected.add(*given)
        exchange.tagged_by_hand = exchange.tagged_by_hand or bool(given)
        exchange.collected.cache = self.cache


def _checked(tags: Iterable[str]) -> list[str]:
    if isinstance(tags, str):
        raise TypeError(f"tags is to be a list of tags, not the string {tags!r}")
    found = [*tags]
    for tag in found:
        check_tag(tag)
    return found


def _refuse(exchange: Exchange) -> None:
    logger.exception("the tags of @larder_cache can't be used, so larder does not keep the page")
    exchange.refusals.append("the tags of @larder_cache can't be used: see the log")


def _to_keep(request: HttpRequest, response: HttpResponseBase) -> Exchange | None:
    """What is known of the request, if its answer may be kept at all."""
    if request.method not in ("GET", "HEAD") or response.status_code >= 400:
        return None
    exchange = exchange_of(request)
    if exchange is None:
        conf.notices.say(
            logging.WARNING,
            "middleware",
            "%s has @larder_cache, but no tags can be emitted, so it is not kept: put "
            "'larder_client.django.middleware.LarderMiddleware' into MIDDLEWARE",
            request.path,
        )
    return exchange
