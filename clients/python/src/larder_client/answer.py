"""What the doors of all frameworks write on an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from .cache_control import LIFETIME_FIELD, CacheControl
from .collected import Collected
from .emit import LONGEST_LINE, PURGE_FIELD, TAG_FIELD, emit, invalidation
from .options import Options

logger = logging.getLogger("larder_client")

#: The methods whose answers change nothing (RFC 9110 section 9.2.1, and QUERY).
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "QUERY")

#: The most bytes of tags that an answer bears, those of its view among them. Servers and larder
#: take 64 KiB for all fields together, and break an answer off that has more.
MOST_BYTES = 32_000


class Fields(Protocol):
    """The fields of an answer, whatever its framework; names in any case."""

    def __contains__(self, name: str, /) -> bool: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def get(self, name: str, /) -> str | None: ...


def said(fields: Fields, name: str, between: str = ",") -> str:
    """All that an answer says in a field, in however many lines."""
    lines: Callable[[str], list[str]] | None = getattr(fields, "getlist", None)
    return between.join(lines(name)) if lines is not None else fields.get(name) or ""


def write_tags(fields: Fields, collected: Collected) -> None:
    """Writes the tags beside those that are there. To be done last: see `emit`.

    With too many of them the answer bears none, and is not kept.
    """
    before = said(fields, TAG_FIELD)
    for name, value in emit(collected):
        fields[name] = f"{before},{value}" if before and name == TAG_FIELD else value
    size = len(said(fields, TAG_FIELD))
    if size > MOST_BYTES:
        logger.error("an answer has %d bytes of tags, and is not cached: give it fewer", size)
        del fields[TAG_FIELD]
        fields[LIFETIME_FIELD] = "no-store"


def write_invalidation(fields: Fields, tags: Iterable[str], options: Options) -> None:
    """Has the answer outdate these tags, besides what its view says that it outdates.

    The view's own comes first and stays whole. Of the tags as many are named as fit the line.
    """
    for name, value in invalidation(tags, options):
        # A semicolon ends what `private` and `stale` hold for.
        between = ";" if name == PURGE_FIELD else ", "
        before = said(fields, name, between)
        if before:
            room = LONGEST_LINE - len(before) - len(between)
            if len(value) > room:
                value = value[: max(room + 1, 0)].rpartition(",")[0]
            value = f"{before}{between}{value}" if value else before
        fields[name] = value


def write_lifetime(fields: Fields, wanted: CacheControl) -> None:
    """Writes how long the answer may be kept. What its view itself says to browsers stands."""
    for name, value in wanted.fields():
        if name.lower() != "cache-control" or name not in fields:
            fields[name] = value


def forbidden(fields: Fields) -> list[str]:
    """What the view itself says against keeping its answer for all visitors."""
    directives = said(fields, "Cache-Control").lower()
    if "private" in directives or "no-store" in directives:
        return [f"the view says Cache-Control: {directives}"]
    return []
