"""Where purges leave: with those that the ORM's writes make, once the transaction has committed."""

from __future__ import annotations

from dataclasses import replace

from django.db import router

from larder_client import Purge
from larder_client.django import conf
from larder_client.django.orm import purge_on_commit
from larder_client.wagtail.pages import page_model


def forget(what: Purge, using: str | None = None, *, hard: bool = False) -> None:
    """Has `what` forgotten when the transaction of `using` commits; never after a rollback.

    Without `using` it is the database of the pages. It is a soft purge if `LARDER["SOFT"]` says
    so, unless it has to be a `hard` one: what nobody is to see must not be shown stale either.
    """
    if what:
        what = replace(what, soft=conf.larder().proxy.soft and not hard)
        purge_on_commit(_database(using), purge=what)


def forget_all_softly(using: str | None = None) -> None:
    """Has every page made anew, and served as it is until then."""
    purge_on_commit(_database(using), purge=Purge(everything=True, soft=True))


def _database(using: str | None) -> str:
    return using or str(router.db_for_write(page_model()))
