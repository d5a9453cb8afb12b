"""What a transaction has changed, until it is known whether it holds."""

from __future__ import annotations

from collections.abc import Iterable


class Changes:
    """The tags of one transaction, by its savepoints.

    >>> changes = Changes()
    >>> changes.add({"a"}); changes.begin(); changes.add({"b"}); changes.roll_back()
    >>> changes.begin(); changes.add({"c"}); changes.release()
    >>> sorted(changes.take()), bool(changes)
    (['a', 'c'], False)
    """

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        self._levels: list[set[str]] = [set()]

    def add(self, tags: Iterable[str]) -> None:
        """These are to be purged, if what has begun last holds."""
        self._levels[-1].update(tags)

    def begin(self) -> None:
        """A savepoint."""
        self._levels.append(set())

    def release(self) -> None:
        """The last savepoint holds as long as what it is in."""
        if len(self._levels) > 1:
            above = self._levels.pop()
            self._levels[-1] |= above

    def roll_back(self) -> None:
        """The last savepoint, or all of it, never happened."""
        if len(self._levels) > 1:
            self._levels.pop()
        else:
            self._levels[0].clear()

    def clear(self) -> None:
        """Nothing of it happened."""
        self._levels = [set()]

    def seen(self) -> frozenset[str]:
        """All of it, as far as it still may hold."""
        return frozenset().union(*self._levels)

    def take(self) -> frozenset[str]:
        """All of it, and begins anew."""
        tags = self.seen()
        self.clear()
        return tags

    def __bool__(self) -> bool:
        return any(self._levels)
