"""How long a page may be kept: by larder, and by browsers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

#: A length of time: seconds, a timedelta, or a text as "90s", "5m", "1h30m", "7d".
Duration = float | timedelta | str

#: The field that speaks to larder alone (RFC 9213).
LIFETIME_FIELD = "Larder-Cache-Control"

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TEXT = re.compile(r"(?:[0-9]+[smhdw])+")
_PART = re.compile(r"([0-9]+)([smhdw])")

# What HTTP's caches count to at most (RFC 9111 section 1.2.2).
_MOST = 2**31


def seconds(duration: Duration, name: str = "a duration") -> int:
    """Whole seconds of a duration, rounded down. Raises ValueError, which `name` is put into.

    >>> seconds("1h30m"), seconds(2.5), seconds(timedelta(days=1))
    (5400, 2, 86400)
    """
    how = 'write seconds, a timedelta, or a text as "90s", "5m", "1h", "7d"'
    if isinstance(duration, str):
        if not _TEXT.fullmatch(duration):
            raise ValueError(f"{name}: {duration!r} is no length of time; {how}")
        number: float = sum(int(n) * _UNITS[unit] for n, unit in _PART.findall(duration))
    elif isinstance(duration, timedelta):
        number = duration.total_seconds()
    elif isinstance(duration, (int, float)) and not isinstance(duration, bool):
        number = duration
    else:
        raise ValueError(f"{name}: {duration!r} is no length of time; {how}")
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name}: {duration!r} is less than nothing, or endless; {how}")
    return min(int(number), _MOST)


@dataclass(frozen=True)
class CacheControl:
    """What a page says about its keeping.

    larder is told `ttl`, and may then serve it stale for `swr` while it is fetched anew, and for
    `sie` in place of an error. Browsers keep it for `browser_ttl`: a purge does not reach them,
    so that is nothing by default, and they ask each time.

    >>> for name, value in CacheControl(ttl="5m", swr=30).fields():
    ...     print(f"{name}: {value}")
    Larder-Cache-Control: max-age=300, stale-while-revalidate=30
    Cache-Control: no-cache
    """

    ttl: Duration
    swr: Duration | None = None
    sie: Duration | None = None
    browser_ttl: Duration = 0
    tags: Collection[str] = field(default=())

    def __post_init__(self) -> None:
        for name in ("ttl", "swr", "sie", "browser_ttl"):
            if (value := getattr(self, name)) is not None:
                seconds(value, name)
        if isinstance(self.tags, str):
            raise ValueError(f"tags: a list of strings is wanted, not the string {self.tags!r}")

    def fields(self) -> list[tuple[str, str]]:
        """The response's fields; each replaces what the response has of that name."""
        ours = [f"max-age={seconds(self.ttl)}"]
        if self.swr is not None:
            ours.append(f"stale-while-revalidate={seconds(self.swr)}")
        if self.sie is not None:
            ours.append(f"stale-if-error={seconds(self.sie)}")
        theirs = seconds(self.browser_ttl)
        return [
            (LIFETIME_FIELD, ", ".join(ours)),
            ("Cache-Control", f"max-age={theirs}" if theirs else "no-cache"),
        ]
