"""Purges that are written down by hand: made when the transaction commits, and never sooner."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS

from larder_client import Purge, check_tag

from . import conf


def purge(
    *tags: str,
    urls: Iterable[str] = (),
    paths: Iterable[str] = (),
    prefixes: Iterable[str] = (),
    hosts: Iterable[str] = (),
    everything: bool = False,
    soft: bool | None = None,
    refresh: bool = False,
    using: str = DEFAULT_DB_ALIAS,
) -> None:
    """Has pages forgotten when the transaction of the database `using` commits.

    Without a transaction that is at once, and after a rollback never. It becomes one purge with
    those of the transaction's writes, and goes through the outbox if there is one. It returns
    before the proxy has been told, and a proxy that is down raises nothing. `soft` is
    `LARDER["SOFT"]` unless it is given. Raises TypeError for what is no string, and ValueError
    for an empty tag.
    """
    from .orm import purge_on_commit  # it needs the models, which aren't there on import

    for tag in tags:
        check_tag(tag)
    wanted = Purge(
        tags=frozenset(tags),
        urls=frozenset(urls),
        paths=frozenset(paths),
        prefixes=frozenset(prefixes),
        hosts=frozenset(hosts),
        everything=everything,
        soft=conf.larder().proxy.soft if soft is None else soft,
        refresh=refresh,
    )
    if wanted:
        purge_on_commit(using, purge=wanted)
