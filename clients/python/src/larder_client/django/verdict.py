"""What larder says of a page, in Django's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from larder_client import verdict
from larder_client.asking import Page

WORDS = verdict.Words(
    framework="django",
    lifetime="@larder_cache(ttl=...)",
    tagging="Does the view read from the ORM, or have @larder_cache(tags=...)?",
)


def lines_of(page: Page, explained: Mapping[str, Any]) -> list[str]:
    """As `larder_client.verdict.lines_of`, and what helps with a form's token."""
    lines = verdict.lines_of(page, explained, WORDS)
    code = (explained.get("reason") or {}).get("code")
    sets = (line.partition("=")[0] for line in page.all_of("Set-Cookie"))
    if code == "set-cookie" and settings.CSRF_COOKIE_NAME in sets:
        lines.append(
            "- {% larder_csrf %} in place of {% csrf_token %} leaves the token to larder, with "
            "LARDER['FORMS'] = True and [forms] csrf = true in larder.toml"
        )
    return lines
