"""The fields by which a response bears its tags, and says what it has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from .cache_control import LIFETIME_FIELD
from .collected import Collected
from .options import Options
from .tags import check_tag, tag_hash, wire_tag

logger = logging.getLogger("larder_client")

#: The field that bears a response's tags; larder takes it off.
TAG_FIELD = "Cache-Tag"

#: The field by which an answer has larder forget tags, on every host; larder takes it off.
PURGE_FIELD = "X-LiteSpeed-Purge"

#: The fields of RFC 9875: a page's groups, and those that an answer outdates.
GROUPS_FIELD = "Cache-Groups"
INVALIDATION_FIELD = "Cache-Group-Invalidation"

#: The most bytes of one field line: servers and proxies on the way take as much.
LONGEST_LINE = 8_000


def emit(collected: Collected) -> list[tuple[str, str]]:
    """The field lines for a response made of this: one a name, each replaces what is there.

    Set them last. A page whose tags do not fit one line of 8,000 bytes could not be purged by
    all of them: it is told not to be stored, and the log says what to do.
    """
    tags, options = collected.tags(), collected.options
    if not tags:
        return []
    written = dict.fromkeys(wire_tag(tag, options) for tag in tags)
    line = ",".join(written)
    if len(line) > LONGEST_LINE:
        logger.error(
            "a page has %d tags, which do not fit %d bytes, and is not cached: give it fewer or "
            "shorter tags, or set hash_tags (%s, ...)",
            *(len(tags), LONGEST_LINE, ", ".join(tags[:3])),
        )
        return [(LIFETIME_FIELD, "no-store")]
    fields = [(TAG_FIELD, line)]
    if options.groups:
        groups, all_of_them = _groups(tags)
        if all_of_them:
            fields.append((GROUPS_FIELD, groups))
    return fields


def invalidation(tags: Iterable[str], options: Options | None = None) -> list[tuple[str, str]]:
    """The field lines by which the answer to a request has its caches forget these tags.

    For the answer to an unsafe request (POST, PUT, DELETE, ...) whose transaction is committed:
    larder forgets them before it hands the answer on, so that the page that it redirects to is
    new. `X-LiteSpeed-Purge` names tags, and larder heeds it on any answer; RFC 9875's
    `Cache-Group-Invalidation` names the groups of `Options.groups`, as hashes.

    If there are too many for one line of 8,000 bytes, those of lists and models come before
    those of single rows, and the rest is left out. So purge the same tags through `Sender` too:
    other hosts and lost answers need that anyway.
    """
    # Those with most colons last: `model`, then `model:list`, then `model:1`.
    rank = {tag: (":" in check_tag(tag) and not tag.endswith(":list"), tag) for tag in set(tags)}
    ordered = sorted(rank, key=rank.__getitem__)
    if not ordered:
        return []
    # `public:` is what every tag may begin with there, and a tag may begin like that itself.
    purged = (f"tag=public:{wire_tag(tag, options)}" for tag in ordered)
    groups, _ = _groups(ordered)
    return [(PURGE_FIELD, _line(purged, ",")[0]), (INVALIDATION_FIELD, groups)]


def _groups(tags: Iterable[str]) -> tuple[str, bool]:
    return _line((f'"{tag_hash(tag)}"' for tag in tags), ", ")


def _line(members: Iterable[str], separator: str) -> tuple[str, bool]:
    """As many of the members as fit one line, and whether that is all of them."""
    taken: list[str] = []
    size = -len(separator)
    for member in members:
        size += len(separator) + len(member)
        if size > LONGEST_LINE:
            return separator.join(taken), False
        taken.append(member)
    return separator.join(taken), True
