"""The purges that wait for the background, and when they are tried again. No threads, no clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from .purge import Purge

#: The first pause after a failure, and the longest, in seconds.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0


def pause(failures: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds until the next try after so many failures in a row (1 or more).

    Exponential with full jitter: anything up to a bound that doubles, so that many processes
    do not come back at the same moment.
    """
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 16))
    return bound * chance()


@dataclass
class Parcel:
    """A purge on its way, the rows of the outbox that it delivers, and how often it failed."""

    purge: Purge
    keys: set[object] = field(default_factory=set)
    failures: int = 0
    #: Whether it was read from the outbox, and will be read there again if it fails.
    from_outbox: bool = False
    #: Those that it was merged from.
    parts: list[Parcel] = field(default_factory=list, compare=False)

    def apart(self) -> list[Parcel]:
        """Tags, and what a token may not be allowed besides, each by itself; none if it is one.

        Rows of the outbox that have both belong to the second.
        """
        of_tags = [part for part in self.parts if part.purge.only_tags]
        others = [part for part in self.parts if not part.purge.only_tags]
        if of_tags and others:
            found = [_merged(of_tags), _merged(others)]
        elif self.purge.tags and not self.purge.only_tags and not self.purge.everything:
            rest = replace(self.purge, tags=frozenset())
            tags = Purge(self.purge.tags, soft=self.purge.soft, refresh=self.purge.refresh)
            found = [Parcel(tags), Parcel(rest, self.keys)]
        else:
            return []
        for one in found:
            one.failures, one.from_outbox = self.failures, self.from_outbox
        return found


class Waiting:
    """Purges in the order in which they came, equal ones once, with a bound of selectors."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parcels: dict[Purge, Parcel] = {}
        self._size = 0

    def __len__(self) -> int:
        """Selectors that wait."""
        return self._size

    def add(self, parcel: Parcel) -> list[Parcel]:
        """Puts one at the end. Gives back the oldest, which had to go to make room."""
        there = self._parcels.get(parcel.purge)
        if there is not None:
            there.keys |= parcel.keys
            there.failures = min(there.failures, parcel.failures)
            return []
        self._parcels[parcel.purge] = parcel
        self._size += len(parcel.purge)
        return self._shrink()

    def put_back(self, parcels: Iterable[Parcel]) -> list[Parcel]:
        """Puts those that failed before all others. Gives back those that had to go."""
        later = list(self._parcels.values())
        self._parcels, self._size = {}, 0
        for parcel in [*parcels, *later]:
            there = self._parcels.setdefault(parcel.purge, parcel)
            if there is parcel:
                self._size += len(parcel.purge)
            else:
                there.keys |= parcel.keys
                there.failures = min(there.failures, parcel.failures)
        return self._shrink()

    def take(self) -> list[Parcel]:
        """Takes all of them, merged: one parcel for each way of purging.

        Soft and hard purges are not merged, nor those that have pages fetched again with those
        that do not, nor those that the outbox has with those that would be lost. A merged one
        counts as failed as often as the one that failed least.
        """
        merged: dict[tuple[bool, bool, bool], list[Parcel]] = {}
        for parcel in self._parcels.values():
            kind = (parcel.purge.soft, parcel.purge.refresh, bool(parcel.keys))
            merged.setdefault(kind, []).append(parcel)
        self._parcels, self._size = {}, 0
        return [_merged(parcels) for parcels in merged.values()]

    def _shrink(self) -> list[Parcel]:
        gone = []
        while self._size > self._most and len(self._parcels) > 1:
            oldest = self._parcels.pop(next(iter(self._parcels)))
            self._size -= len(oldest.purge)
            gone.append(oldest)
        return gone


def _merged(parcels: list[Parcel]) -> Parcel:
    first = parcels[0].purge
    purge = Purge(
        tags=frozenset().union(*(parcel.purge.tags for parcel in parcels)),
        urls=frozenset().union(*(parcel.purge.urls for parcel in parcels)),
        paths=frozenset().union(*(parcel.purge.paths for parcel in parcels)),
        prefixes=frozenset().union(*(parcel.purge.prefixes for parcel in parcels)),
        hosts=frozenset().union(*(parcel.purge.hosts for parcel in parcels)),
        everything=any(parcel.purge.everything for parcel in parcels),
        soft=first.soft,
        refresh=first.refresh,
    )
    keys = set[object]().union(*(parcel.keys for parcel in parcels))
    return Parcel(purge, keys, min(parcel.failures for parcel in parcels), parts=parcels)
