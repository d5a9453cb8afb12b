"""The pytest plugin: `larder_binary` and `larder`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

# pytest loads this in every run of an environment: what it needs is imported when it is used.
if TYPE_CHECKING:
    from .proxy import Larder


@pytest.fixture(scope="session")
def larder_binary() -> str:
    """The larder that is run: LARDER_BINARY, else the one on the PATH."""
    from ..errors import LarderError
    from .proxy import find_binary

    try:
        return find_binary()
    except LarderError as error:
        missing = str(error)
    pytest.fail(missing, pytrace=False)


@pytest.fixture
def larder(larder_binary: str) -> Iterator[Callable[..., Larder]]:
    """Starts a larder in front of an application, as `Larder.start`; it ends with the test."""
    from .proxy import Larder

    with contextlib.ExitStack() as stack:
        yield lambda app, **config: stack.enter_context(Larder.start(app, **config))
