"""A table for purges, written in the transaction that causes them, so that none is lost when the
process dies before it has delivered them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import Session

from ..errors import ConfigurationError
from ..purge import Purge

logger = logging.getLogger("larder_client")

NAME = "larder_outbox"

# A row this young, in seconds, is being delivered by the process that has written it.
_YOUNG = 5


def outbox_table(metadata: MetaData, name: str = NAME) -> Table:
    """The table, as a part of an application's metadata: `create_all` and Alembic see it there."""
    if name in metadata.tables:
        return metadata.tables[name]
    return Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
        Column("written", BigInteger, nullable=False, comment="seconds since 1970"),
        Column("purge", Text(1 << 24), nullable=False, comment="JSON of larder_client.Purge"),
    )


class Outbox:
    """What `Sender` looks into. `engine` may be a function that gives it later: it is asked for
    from threads of larder's own, so it has to be a synchronous one.
    """

    def __init__(self, table: Table, engine: Engine | Callable[[], Engine]) -> None:
        self.table = table
        self._engine = engine
        self._is_there = False
        # The rows of which it has been said.
        self._unreadable: set[object] = set()

    @property
    def engine(self) -> Engine:
        """Where the table is."""
        return self._engine if isinstance(self._engine, Engine) else self._engine()

    def write(self, where: Session | Connection, purge: Purge) -> object:
        """Writes a row in a transaction that is about to be committed, and gives its key.

        Raises ConfigurationError if the table is not there, and what the database raises.
        """
        connection = self._connection(where) if isinstance(where, Session) else where
        if not self._is_there:
            if not inspect(connection).has_table(self.table.name, self.table.schema):
                raise ConfigurationError(
                    f"the database {connection.engine.url!r} has no table {self.table.fullname}: "
                    "create it (metadata.create_all, a migration, `flask larder outbox --create`)"
                )
            self._is_there = True
        row = {"written": int(time.time()), "purge": json.dumps(purge.to_json())}
        result = connection.execute(insert(self.table).values(row))
        key: object
        (key,) = result.inserted_primary_key or (None,)
        return key

    def _connection(self, session: Session) -> Connection:
        try:
            return session.connection(bind_arguments={"clause": self.table})
        except UnboundExecutionError:  # it has binds, and none for this table
            return session.connection(bind_arguments={"bind": self.engine})

    def create(self) -> None:
        """Makes the table, unless it is there."""
        self.table.create(self.engine, checkfirst=True)

    def count(self) -> int:
        """How many rows wait."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(self.table)).scalar_one()

    def pending(self, limit: int, young: float = _YOUNG) -> Sequence[tuple[object, Purge]]:
        """The oldest rows, at most `limit`, but for those that are younger than so many seconds.

        One that can't be read stays, for a newer release may have written it: the log says so
        once, and it is not counted.
        """
        key, written = self.table.c.id, self.table.c.written
        rows = select(key, self.table.c.purge).where(written <= time.time() - young).order_by(key)
        found: list[tuple[object, Purge]] = []
        with self.engine.connect() as connection:
            while some := connection.execute(rows.limit(limit - len(found))).all():
                both = ((at, self._read(at, text)) for at, text in some)
                found += [(at, purge) for at, purge in both if purge is not None]
                if len(found) == limit:
                    break
                rows = rows.where(key > some[-1][0])
        return found

    def done(self, keys: Collection[object]) -> None:
        """Takes rows out. They may be gone already."""
        wanted = sorted(keys, key=str)
        with self.engine.begin() as connection:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                connection.execute(delete(self.table).where(self.table.c.id.in_(some)))

    def _read(self, key: object, text: str) -> Purge | None:
        try:
            return Purge.from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            if key not in self._unreadable:
                self._unreadable.add(key)
                logger.error("row %s of the outbox is no purge, and stays there: %s", key, error)
            return None
