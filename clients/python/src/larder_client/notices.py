"""Lines of the log that come no more often than somebody wants to read them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable


class Notices:
    """Writes at most one line a second of each kind, and how many it has left out."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._clock = clock
        self._lock = threading.Lock()
        # When the last line of a kind was written, and how many were left out since.
        self._kinds: dict[str, tuple[float, int]] = {}

    def say(self, level: int, kind: str, message: str, *args: object) -> None:
        """Writes the line, unless one of its kind was written within the last second."""
        now = self._clock()
        with self._lock:
            last, left_out = self._kinds.get(kind, (now - 1, 0))
            if now - last < 1:
                self._kinds[kind] = (last, left_out + 1)
                return
            self._kinds[kind] = (now, 0)
        if left_out:
            message += " (and %d more like this)"
            args = (*args, left_out)
        self._logger.log(level, message, *args)
