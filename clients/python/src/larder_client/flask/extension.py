"""The extension."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app

from ..client import Client
from ..collected import record as record_tags
from ..errors import ConfigurationError
from ..purge import Purge
from ..sender import Sender
from .answer import complete
from .cached import cached
from .cli import group
from .exchange import Collecting, exchange_of
from .settings import read
from .state import State


class Larder:
    """larder for an application, or for several: `Larder(app)`, or `init_app(app)` later.

    From then on its answers bear the tags of what SQLAlchemy has read for them, and what is
    committed is purged. `db` is Flask-SQLAlchemy's extension or an engine, and needed for an
    outbox only.
    """

    def __init__(self, app: Flask | None = None, *, db: Any = None) -> None:
        self._db = db
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, *, db: Any = None) -> None:
        """Reads the configuration, and has an application's requests go through the extension.

        Raises ConfigurationError for settings that make no sense, and for a second time.
        """
        if "larder" in app.extensions:
            raise ConfigurationError(f"{app.name} has a larder already: init_app was called twice")
        state = State(app, read(app.config))
        state.watch(db if db is not None else self._db)
        app.extensions["larder"] = state
        app.wsgi_app = Collecting(app, state)  # type: ignore[assignment,method-assign]

        def tell(response: Response) -> Response:
            exchange = exchange_of(app)
            if exchange is not None:
                state.start()
                complete(state, exchange, response)
            return response

        # Those of a list run from its end: this one sees what all others have made of it.
        app.after_request_funcs.setdefault(None, []).insert(0, tell)
        app.cli.add_command(group)

    cached = staticmethod(cached)

    @staticmethod
    def record(*tags: str) -> None:
        """Says that the page that is being made depends on these tags.

        Nothing happens without a request. Raises ValueError for what is no tag.
        """
        record_tags(*tags)
        exchange = exchange_of(current_app._get_current_object()) if current_app else None  # type: ignore[attr-defined]
        if exchange is not None and tags:
            exchange.tagged_by_hand = True

    def purge_tags(self, *tags: str, soft: bool | None = None) -> None:
        """Has all pages with one of these tags forgotten: see `purge`."""
        self.purge(Purge(tags=frozenset(tags), soft=self._soft(soft)))

    def purge_urls(self, *urls: str, soft: bool | None = None) -> None:
        """Has URLs forgotten, as visitors write them, with scheme and host: see `purge`."""
        self.purge(Purge(urls=frozenset(urls), soft=self._soft(soft)))

    def purge(self, purge: Purge) -> None:
        """Has anything forgotten, in the background: when the view has ended, so commit before
        that; at once if there is no request. Never raises for what the proxy does.

        Needs an application context.
        """
        _state().purge(purge)

    @property
    def client(self) -> Client:
        """The client of the current application: its calls wait for the proxy, and raise."""
        return _state().client

    @property
    def sender(self) -> Sender:
        """The background of the current application."""
        return _state().sender

    def _soft(self, soft: bool | None) -> bool:
        return _state().settings.options.soft if soft is None else soft


def _state() -> State:
    state = current_app.extensions.get("larder")
    if not isinstance(state, State):
        raise ConfigurationError(f"{current_app.name} has no larder: call larder.init_app(app)")
    return state
