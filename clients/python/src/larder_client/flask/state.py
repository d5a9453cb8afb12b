"""What the extension keeps for one application: `app.extensions["larder"]`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, has_app_context

from ..client import Client
from ..errors import ConfigurationError
from ..purge import Purge
from ..sender import Sender
from .exchange import Exchange, exchange_of
from .settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session

    from ..sqlalchemy import Outbox

logger = logging.getLogger("larder_client")


class State:
    """The settings, the client and the sender; and SQLAlchemy's receiver of what is committed."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.client = Client(settings.options)
        self.outbox: Outbox | None = None
        self.sender = Sender(self.client)
        #: The sessions of this thread or task that hold objects from before.
        self.holding: Callable[[], list[Session]] = list
        self._started = False

    def watch(self, db: Any) -> None:
        """Listens to SQLAlchemy, if it is there and the settings don't say no.

        Raises ConfigurationError if an outbox is wanted and there is no database for it.
        """
        wanted = self.settings.sqlalchemy and find_spec("sqlalchemy") is not None
        if self.settings.outbox:
            if not wanted:
                raise ConfigurationError(
                    "app.config['LARDER_OUTBOX'] needs SQLAlchemy (pip install "
                    "'larder-client[sqlalchemy]') and LARDER_SQLALCHEMY"
                )
            self.outbox = _outbox(self.app, db)
            self.sender = Sender(self.client, self.outbox)
        if wanted:
            from .. import sqlalchemy

            ignored = list(self.settings.ignore_tables)
            if self.outbox is not None:
                ignored.append(self.outbox.table.fullname)
            sqlalchemy.listen()
            sqlalchemy.receivers.add(self, ignored)
            self.holding = sqlalchemy.holding

    def start(self) -> None:
        """The first request: what an earlier process has left in the outbox is delivered."""
        if not self._started:
            self._started = True
            if self.outbox is not None and self.settings.options.enabled:
                self.sender.poll()

    def purge(self, purge: Purge) -> None:
        """Has this purged: once the view has ended, or now if there is no request."""
        exchange = exchange_of(self.app)
        if exchange is not None:
            exchange.purges.append(purge)
        else:
            self.sender.send(purge)

    # As `larder_client.sqlalchemy.Receiver`.

    def concerned(self) -> bool:
        """Commits are its own in its contexts, and where there is none of any application."""
        return not has_app_context() or current_app._get_current_object() is self.app  # type: ignore[attr-defined]

    def has_outbox(self) -> bool:
        """Whether there is one."""
        return self.outbox is not None

    def store(self, where: Session | Connection, tags: frozenset[str]) -> object | None:
        """Writes to the outbox."""
        return None if self.outbox is None else self.outbox.write(where, self._of(tags))

    def committed(self, tags: frozenset[str], keys: Sequence[object]) -> None:
        """Has it purged; and the answer says it too, so that its visitor's next page is new."""
        exchange: Exchange | None = exchange_of(self.app)
        if exchange is not None:
            exchange.committed |= tags
        for key in keys or (None,):
            self.sender.send(self._of(tags), key=key)

    def _of(self, tags: frozenset[str]) -> Purge:
        return Purge(tags=tags, soft=self.settings.options.soft)


def _outbox(app: Flask, db: Any) -> Outbox:
    """The outbox, in the database of Flask-SQLAlchemy's extension, or of an engine."""
    from sqlalchemy import Engine, MetaData

    from ..sqlalchemy import Outbox, outbox_table

    if db is None:
        db = app.extensions.get("sqlalchemy")
    if isinstance(db, Engine):
        return Outbox(outbox_table(MetaData()), db)
    metadata = getattr(db, "metadata", None)
    if not isinstance(metadata, MetaData):
        raise ConfigurationError(
            "app.config['LARDER_OUTBOX'] needs a database: call db.init_app(app) before "
            "larder.init_app(app), or say Larder(db=...) with an engine of SQLAlchemy"
        )
    return Outbox(outbox_table(metadata), _engine_of(app, db))


def _engine_of(app: Flask, db: Any) -> Callable[[], Engine]:
    def engine() -> Engine:
        with app.app_context():
            found: Engine = db.engine
            return found

    return engine
