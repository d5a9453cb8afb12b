"""What the doors of all frameworks write on an answer."""

from __future__ import annotations

from typing import Protocol

from .cache_control import CacheControl
from .collected import Collected
from .emit import TAG_FIELD, emit

#: The methods whose answers change nothing (RFC 9110 section 9.2.1, and QUERY).
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "QUERY")


class Fields(Protocol):
    """The fields of an answer, whatever its framework; names in any case."""

    def __contains__(self, name: str, /) -> bool: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def get(self, name: str, /) -> str | None: ...


def write_tags(fields: Fields, collected: Collected) -> None:
    """Writes the tags beside those that are there. To be done last: see `emit`."""
    before = fields.get(TAG_FIELD)
    for name, value in emit(collected):
        fields[name] = f"{before},{value}" if before and name == TAG_FIELD else value


def write_lifetime(fields: Fields, wanted: CacheControl) -> None:
    """Writes how long the answer may be kept. What its view itself says to browsers stands."""
    for name, value in wanted.fields():
        if name.lower() != "cache-control" or name not in fields:
            fields[name] = value


def forbidden(fields: Fields) -> list[str]:
    """What the view itself says against keeping its answer for all visitors."""
    directives = (fields.get("Cache-Control") or "").lower()
    if "private" in directives or "no-store" in directives:
        return [f"the view says Cache-Control: {directives}"]
    return []
