"""The middleware: collects tags while a request is answered, and tells larder in the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from larder_client import collecting

from . import answer, conf, orm
from .exchange import Exchange


@sync_and_async_middleware
class LarderMiddleware:
    """Goes below GZipMiddleware and above SessionMiddleware (`larder.W003` says if it doesn't).

    It collects the tags of each answer, those that the ORM's reads leave among them, and emits
    them with what `@larder_cache` has set. Answers to POST and the like name what their
    transactions have changed. It never fails a page: what goes wrong is logged, and larder does
    not keep that answer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answers a request; in an async stack, what is to be awaited for the answer."""
        if self.is_async:
            return self._answer_async(request)
        with _exchange(request) as exchange:
            response = self.get_response(request)
            answer.complete(request, response, exchange)
        return response

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        with _exchange(request) as exchange:
            response = await self.get_response(request)
            answer.complete(request, response, exchange)
        return response


@contextmanager
def _exchange(request: HttpRequest) -> Iterator[Exchange]:
    with collecting(conf.larder().proxy) as collected, orm.commits() as purges:
        request.larder = exchange = Exchange.of(request, collected, purges)
        try:
            yield exchange
        finally:
            exchange.fill.close()
