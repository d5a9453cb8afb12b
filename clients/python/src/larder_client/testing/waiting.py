"""Waiting for a condition, instead of sleeping and hoping."""

from __future__ import annotations

import time
from collections.abc import Callable

#: No test waits longer than this for anything, in seconds.
DEADLINE = 30.0


def wait_until(
    what: str,
    condition: Callable[[], bool],
    more: Callable[[], str] = lambda: "",
    within: float = DEADLINE,
) -> None:
    """Returns once the condition holds. Raises AssertionError if it doesn't `within` seconds."""
    end = time.monotonic() + within
    pause = 0.002
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {within:g} s in vain until {what}\n{more()}".rstrip())
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
