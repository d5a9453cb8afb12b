"""What is to be forgotten, and what the proxy made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from .tags import check_tag

#: The lists of a purge, in the order in which they are sent.
LISTS = ("tags", "urls", "paths", "prefixes", "hosts")

#: Those of absolute URLs.
ABSOLUTE = ("urls", "paths", "prefixes")

#: The most selectors that the proxy takes in one document.
MOST_SELECTORS = 10_000

#: The largest document that is sent, in bytes. The proxy takes four times as much.
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Purge:
    """What is to be forgotten. `bool(purge)` says whether there is anything in it.

    Tags are written as the application names them; what goes on the wire is worked out when
    they are sent (see `larder_client.wire_tag`).

    >>> sorted((Purge(tags={"a"}) | Purge(tags={"b"})).tags)
    ['a', 'b']
    """

    #: What bears one of these tags, on every host.
    tags: frozenset[str] = frozenset()
    #: Absolute URLs, as visitors write them: every variant, under both schemes.
    urls: frozenset[str] = frozenset()
    #: Absolute URLs without a query: that path with any query.
    paths: frozenset[str] = frozenset()
    #: Absolute URLs, each with all that lies below it: /blog covers /blog/1, but not /blogger.
    prefixes: frozenset[str] = frozenset()
    #: Whole hosts, each with its port unless that is the scheme's own.
    hosts: frozenset[str] = frozenset()
    #: All that is stored.
    everything: bool = False
    #: Make it stale instead: it may be served for a while until it has been fetched again.
    soft: bool = False
    #: Have what people ask for most fetched again.
    refresh: bool = False

    def __post_init__(self) -> None:
        for name in LISTS:
            given: object = getattr(self, name)
            if isinstance(given, str):
                raise TypeError(f"{name} is to be a set of strings, not the string {given!r}")
            if not isinstance(given, frozenset):
                object.__setattr__(self, name, frozenset(getattr(self, name)))
            for text in getattr(self, name):
                if not isinstance(text, str) or not text:
                    raise TypeError(
                        f"{name} has {text!r}, which is to be a string that says something"
                    )

    def __or__(self, other: Purge) -> Purge:
        """Both: soft only if both are, with a refresh if one has it."""
        if not isinstance(other, Purge):
            return NotImplemented
        # Nothing is neither soft nor hard.
        if not self or not other:
            return replace(self or other, refresh=self.refresh or other.refresh)
        return Purge(
            **{name: getattr(self, name) | getattr(other, name) for name in LISTS},
            everything=self.everything or other.everything,
            soft=self.soft and other.soft,
            refresh=self.refresh or other.refresh,
        )

    def __bool__(self) -> bool:
        return self.everything or any(getattr(self, name) for name in LISTS)

    @property
    def only_tags(self) -> bool:
        """Whether there is nothing else in it."""
        return not self.everything and len(self) == len(self.tags)

    def __len__(self) -> int:
        """The number of selectors; everything is one."""
        return sum(len(getattr(self, name)) for name in LISTS) + self.everything

    def batches(self, most: int = MOST_SELECTORS) -> Iterator[Purge]:
        """The same in purges of at most `most` selectors and about a MiB; everything in one."""
        if self.everything:
            yield Purge(everything=True, soft=self.soft, refresh=self.refresh)
            return
        selectors = ((name, text) for name in LISTS for text in sorted(getattr(self, name)))
        batch: dict[str, set[str]] = {}
        number = size = 0
        for name, text in selectors:
            weight = _weight(name, text)
            if number and (number == most or size + weight > MOST_BYTES):
                yield self._with(batch)
                batch, number, size = {}, 0, 0
            batch.setdefault(name, set()).add(text)
            number, size = number + 1, size + weight
        if number:
            yield self._with(batch)

    def _with(self, lists: Mapping[str, Iterable[str]]) -> Purge:
        kept: dict[str, Any] = {name: frozenset(lists.get(name, ())) for name in LISTS}
        return replace(self, **kept)

    def without(self, selectors: Iterable[tuple[str, str]]) -> Purge:
        """The same but for these: pairs of a list's name and one of its texts."""
        gone: dict[str, set[str]] = {}
        for name, text in selectors:
            gone.setdefault(name, set()).add(text)
        kept = {name: getattr(self, name) - gone.get(name, set()) for name in LISTS}
        return replace(self, **kept)

    def to_json(self) -> dict[str, object]:
        """The document, as `from_json` reads it; only what is set is in it."""
        document: dict[str, object] = {
            name: sorted(getattr(self, name)) for name in LISTS if getattr(self, name)
        }
        flags = {"all": self.everything, "soft": self.soft, "refresh": self.refresh}
        document.update({name: True for name, is_set in flags.items() if is_set})
        return document

    @classmethod
    def from_json(cls, document: object) -> Purge:
        """What `to_json` has written.

        Raises ValueError for a document that it can't have written, which it names.
        """
        if not isinstance(document, Mapping):
            raise ValueError(f"a purge is an object, not {document!r:.80}")
        known = {*LISTS, "all", "soft", "refresh"}
        if unknown := [name for name in document if name not in known]:
            raise ValueError(f"a purge has no {unknown[0]!r}; it has {', '.join(sorted(known))}")
        for name in LISTS:
            texts = document.get(name, [])
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise ValueError(f"{name!r} of a purge is a list of strings, not {texts!r:.80}")
        for name in ("all", "soft", "refresh"):
            if not isinstance(document.get(name, False), bool):
                raise ValueError(f"{name!r} of a purge is true or false")
        try:
            return cls(
                **{name: frozenset(document.get(name, ())) for name in LISTS},
                everything=document.get("all", False),
                soft=document.get("soft", False),
                refresh=document.get("refresh", False),
            )
        except TypeError as error:
            raise ValueError(str(error)) from None


def _weight(name: str, text: str) -> int:
    """The bytes that a text takes in a document, with what stands between it and the next."""
    return len(json.dumps(check_tag(text) if name == "tags" else text)) + 2


@dataclass(frozen=True)
class Purged:
    """What the proxy says that it has done; of a dry run, what it would do."""

    #: The purge's number among `GET /v1/purges`, the last one of several; 0 if nothing was done.
    number: int = 0
    #: Stored responses that are gone.
    gone: int = 0
    #: Stored responses that are stale now.
    stale: int = 0
    #: For each list that was sent, each of its texts with the responses that it met.
    counts: Mapping[str, Mapping[str, int]] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )

    def __or__(self, other: Purged) -> Purged:
        """Two after one another."""
        names = [*self.counts, *(name for name in other.counts if name not in self.counts)]
        counts = {n: {**self.counts.get(n, {}), **other.counts.get(n, {})} for n in names}
        return Purged(
            max(self.number, other.number),
            self.gone + other.gone,
            self.stale + other.stale,
            MappingProxyType(counts),
        )


assert {"everything", "soft", "refresh", *LISTS} == {one.name for one in fields(Purge)}
