"""Servers that end with their test."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from .support import Handler, Scripted, purged


@pytest.fixture
def scripted() -> Iterator[Callable[[Handler], Scripted]]:
    """Makes servers that end with the test."""
    servers: list[Scripted] = []

    def make(handler: Handler) -> Scripted:
        servers.append(Scripted(handler))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def good(scripted: Callable[[Handler], Scripted]) -> Scripted:
    """A server that answers every purge as larder does, and keeps the documents."""

    def handle(connection: socket.socket, _: int) -> None:
        while (document := server.read(connection)) is not None:
            connection.sendall(purged(document))

    server = scripted(handle)
    return server
