"""What is known of one request: what its page was made of, and what it has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, has_request_context, request

from ..collected import Collected, collecting
from ..purge import Purge

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from .state import State

_KEY = "larder_client.exchange"

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Exchange:
    """One request of one application."""

    app: Flask
    collected: Collected
    #: The tags that its transactions have committed.
    committed: set[str] = field(default_factory=set)
    #: What the view asks to have purged, once it has ended.
    purges: list[Purge] = field(default_factory=list)
    #: Why the page is not to be kept, though its view is `cached`.
    refusals: list[str] = field(default_factory=list)
    #: Whether somebody has named tags, and not only read.
    tagged_by_hand: bool = False
    #: Sessions of SQLAlchemy that hold objects from before the request.
    holding: list[Session] = field(default_factory=list)


def exchange_of(app: Flask) -> Exchange | None:
    """The request of this application that is being answered, if there is one."""
    if not has_request_context():
        return None
    exchange = request.environ.get(_KEY)
    return exchange if isinstance(exchange, Exchange) and exchange.app is app else None


class Collecting:
    """WSGI around an application: each of its requests has an `Exchange`.

    Around all of it, and not from `before_request` to `teardown_request`, so that what converters
    and session interfaces read counts, and that nothing of one request is left for the next.
    """

    def __init__(self, app: Flask, state: State) -> None:
        self._app = app
        self._state = state
        self._inner: Wsgi = app.wsgi_app

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with collecting(self._state.settings.options) as collected:
            exchange = Exchange(self._app, collected)
            exchange.holding = self._state.holding()
            outer, environ[_KEY] = environ.get(_KEY), exchange
            try:
                return self._inner(environ, start)
            finally:
                for purge in exchange.purges:
                    self._state.sender.send(purge)
                if outer is not None:  # mounted below another one
                    environ[_KEY] = outer
