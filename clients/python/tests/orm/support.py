"""What the tests of the ORM's part share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from larder_client import Client, Purge, collecting
from larder_client.django import conf
from larder_client.django.orm import register, unregister


class Sent:
    """Takes purges as a sender does, and keeps them."""

    def __init__(self) -> None:
        self.purges: list[Purge] = []
        self.keys: list[Any] = []

    def send(self, purge: Purge, *, key: object | None = None) -> None:
        self.purges.append(purge)
        self.keys.append(key)

    @property
    def client(self) -> Client:
        """What commands talk with larder by."""
        return Client(conf.larder().proxy)

    @property
    def tags(self) -> set[str]:
        """All tags since the last `clear`."""
        return set().union(*(purge.tags for purge in self.purges))

    def clear(self) -> None:
        self.purges.clear()
        self.keys.clear()


def tags_of(page: Callable[[], Any]) -> set[str]:
    """The tags of a page that is made by this function."""
    with collecting() as collected:
        page()
    return set(collected.tags())


@contextmanager
def registered(model: Any, **how: Any) -> Iterator[None]:
    """Registers a model for a while."""
    register(model, **how)
    try:
        yield
    finally:
        unregister(model)


class RolledBack(Exception):
    """Ends a transaction without a commit."""


@contextmanager
def rolled_back(using: str = "default") -> Iterator[None]:
    """A transaction, or a savepoint in one, that is rolled back at its end."""
    try:
        with transaction.atomic(using=using):
            yield
            raise RolledBack
    except RolledBack:
        pass
