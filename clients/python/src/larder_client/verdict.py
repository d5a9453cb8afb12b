"""What larder says of a page, in words for whoever wrote the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .asking import Page

#: How many tags are named.
SHOWN_TAGS = 6


@dataclass(frozen=True)
class Words:
    """How a framework does what is advised."""

    #: Whose advice of larder's is given: "django" or "flask".
    framework: str
    #: How a view states for how long its answer is fresh.
    lifetime: str
    #: How a page that has no tags gets some.
    tagging: str


def lines_of(page: Page, explained: Mapping[str, Any], words: Words) -> list[str]:
    """What became of a page: whether it is kept, for how long, for whom, and what would help.

    `explained` is what `/v1/explain` says of its URL.
    """
    if page.cache is None:
        return ["answered past larder: nothing is kept. Is that larder's address?"]
    variant = next((one for one in explained.get("variants", []) if one.get("selected")), None)
    if variant is None:
        return _not_kept(page, explained, words.framework)
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


def _not_kept(page: Page, explained: Mapping[str, Any], framework: str) -> list[str]:
    reason = explained.get("reason") or {}
    said = reason.get("sentence") or explained.get("outcome", {}).get("sentence", "nothing is said")
    lines = [f"not kept: {said}" + (f" (status {page.status})" if page.status >= 400 else "")]
    lines += [f"- {one['sentence']}" for one in explained.get("would", []) if one.get("sentence")]
    advice = (reason.get("fix") or {}).get(framework)
    if advice:
        lines += [f"  {line}".rstrip() for line in advice.splitlines()]
    if reason.get("docs"):
        lines.append(f"- more in {reason['docs']}")
    return lines
