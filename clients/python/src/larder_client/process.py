"""What a fork and the end of a process mean to the senders in it.

A child has no thread of its parent's: its senders begin anew, and what waits is the parent's to
deliver. A fork waits for a call that is under way, because locks that are held deep in there (that
of a module that is imported, the resolver's) would stay held in the child for ever.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import Any, Protocol

#: How long a fork waits for a call, and the end of a process for what is not delivered yet,
#: in seconds.
PATIENCE = 2.0


class InProcess(Protocol):
    """What has a thread."""

    @property
    def calling(self) -> Any:
        """Held while the thread is in a call."""

    def begin(self) -> None:
        """Takes the state of a process that has done nothing yet."""

    def close(self) -> bool:
        """Does what is left, for as long as `PATIENCE` allows."""


_all: weakref.WeakSet[InProcess] = weakref.WeakSet()
_ended = threading.Event()
# Those that a thread that is about to fork has waited for.
_forking = threading.local()


def register(one: InProcess) -> None:
    """Has this heed forks and the end from now on."""
    _all.add(one)


def ends() -> bool:
    """Whether the process is at its end: nobody comes after who could do what is put off."""
    return _ended.is_set()


def _end() -> None:
    _ended.set()
    for one in list(_all):
        one.close()


def _before_fork() -> None:
    _forking.waited_for = [one for one in list(_all) if one.calling.acquire(timeout=PATIENCE)]


def _after_fork_in_parent() -> None:
    for one in _forking.waited_for:
        one.calling.release()


def _after_fork_in_child() -> None:
    for one in list(_all):
        one.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
atexit.register(_end)
