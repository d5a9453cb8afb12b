"""What larder says of a page, in words for whoever wrote the view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .asking import Page

#: How many tags are named.
SHOWN_TAGS = 6

#: The reason of what could be kept if it said for how long.
NO_LIFETIME = "no-lifetime"

#: The reasons of errors that are larder's own: the app gave no answer that could be handed on.
_OWN_ERRORS = frozenset(
    [
        "connect",
        "connect-timeout",
        "tls",
        "no-socket",
        "no-memory",
        "origin-busy",
        "queue-full",
        "origin-per-ip",
        "first-byte-timeout",
        "total-timeout",
        "broken-response",
        "unasked-upgrade",
        "unasked-304",
        "unasked-206",
        "unasked-coding",
        "unfillable",
        "internal",
    ]
)


@dataclass(frozen=True)
class Words:
    """How a framework does what is advised."""

    #: Whose advice of larder's is given: "django" or "flask".
    framework: str
    #: How a view states for how long its answer is fresh.
    lifetime: str
    #: How a page that has no tags gets some.
    tagging: str
    #: What `lifetime` does for pages that are not there (404), besides larder's configuration.
    missing: str = ""


def failure_of(page: Page) -> str | None:
    """What is to be mended about a page that is an error of the server; None if it is none."""
    if page.status < 500:
        return None
    if page.cache is None:
        return f"answered past larder, with {page.status}. Is that larder's address?"
    if page.reason in _OWN_ERRORS:
        return f"larder answered with {page.status}: see docs/reasons/{page.reason}.md"
    return f"the app failed with {page.status}: its log says why"


def lines_of(page: Page, explained: Mapping[str, Any], words: Words) -> list[str]:
    """What became of a page: whether it is kept, for how long, for whom, and what would help.

    `explained` is what `/v1/explain` says of its URL.
    """
    if page.cache is None:
        return ["answered past larder: nothing is kept. Is that larder's address?"]
    variant = next((one for one in explained.get("variants", []) if one.get("selected")), None)
    if variant is None:
        return _not_kept(page, explained, words)
    return _kept(variant, explained, words)


def _kept(variant: Mapping[str, Any], explained: Mapping[str, Any], words: Words) -> list[str]:
    ttl = variant.get("ttl", 0)
    lines = [f"kept, fresh for another {ttl} s"]
    if explained.get("outcome", {}).get("token") != "hit":
        lines = [
            "kept, but the view runs each time, to say whether it still holds: state a lifetime "
            f"by {words.lifetime}, or cache.default_ttl in larder.toml"
        ]
    tags = list(dict.fromkeys(variant.get("tags", [])))
    if tags:
        more = f" and {len(tags) - SHOWN_TAGS} more" if len(tags) > SHOWN_TAGS else ""
        lines.append(f"tags: {', '.join(tags[:SHOWN_TAGS])}{more}")
    else:
        lines.append(f"no tags: a purge finds it by its URL only. {words.tagging}")
    lines += _vary(dict(variant.get("fields", [])))
    return lines


def _vary(fields: Mapping[str, str]) -> list[str]:
    vary = {name.strip().lower() for name in fields.get("vary", "").split(",")}
    lines = []
    if "cookie" in vary:
        lines.append(
            "Vary: Cookie: visitors without a session share it, each with one has their own"
        )
    if "user-agent" in vary:
        lines.append("Vary: User-Agent: nearly each visitor has a copy of their own; leave it out")
    return lines


def _not_kept(page: Page, explained: Mapping[str, Any], words: Words) -> list[str]:
    reason = explained.get("reason") or {}
    said = reason.get("sentence") or explained.get("outcome", {}).get("sentence", "nothing is said")
    lines = [f"not kept: {said}" + (f" (status {page.status})" if page.status >= 300 else "")]
    lines += [f"- {one}" for one in _wanting(page.status, explained, words)]
    # Larder knows of Cache-Control, and not of what the package has.
    if reason.get("code") != NO_LIFETIME:
        advice = (reason.get("fix") or {}).get(words.framework) or ""
        lines += [f"  {line}".rstrip() for line in advice.splitlines()]
    if reason.get("docs"):
        lines.append(f"- more in {reason['docs']}")
    return lines


def _wanting(status: int, explained: Mapping[str, Any], words: Words) -> Iterator[str]:
    """What would have to be otherwise, as larder has it, but for how a lifetime is stated."""
    would = explained.get("would", [])
    codes = [one.get("code") for one in would]
    if (explained.get("reason") or {}).get("code") == NO_LIFETIME and NO_LIFETIME not in codes:
        yield from _stating(status, words)
    for one in would:
        if one.get("code") == NO_LIFETIME:
            yield from _stating(status, words)
        elif one.get("sentence"):
            yield str(one["sentence"])


def _stating(status: int, words: Words) -> Iterator[str]:
    """How an answer with this status gets a lifetime."""
    configured = "cache.default_ttl in larder.toml"
    if status in (404, 410):
        yield f"cache.negative_ttl in larder.toml has pages kept that are not there{words.missing}"
    elif status >= 400:
        yield "an error has to state a lifetime itself; mostly it need not be kept"
    elif status >= 300:
        also = f" {configured} is for it too." if status in (300, 301, 308) else ""
        yield (
            "a redirect mostly need not be kept. One that is the same for all visitors may state a "
            f"lifetime itself: {words.lifetime} on its view.{also}"
        )
    else:
        yield (
            f"have its view state a lifetime: {words.lifetime}. larder keeps the page for so long, "
            "or until it is purged; browsers ask each time"
        )
        yield f"or set {configured}, for all pages that state none"
