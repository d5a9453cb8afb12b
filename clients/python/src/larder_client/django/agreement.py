"""Whether larder knows the application's cookies: it is asked, instead of believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks

from larder_client import Client

from .order import LOCALE, MESSAGES

#: A page that there is not: nothing is stored for it, and nothing is fetched.
NOWHERE = "http://larder-check.invalid/"


def cookie_messages(client: Client) -> Iterator[checks.CheckMessage]:
    """E005 and W013, by what larder would do with requests. Raises LarderError if it can't say."""
    session = settings.SESSION_COOKIE_NAME
    if session in _ignored(client.explain(NOWHERE, cookies={session: "x"})):
        yield checks.Error(
            f"larder doesn't know that {session!r} says who a visitor is: it takes visitors who "
            "are logged in for anonymous ones.",
            hint=f'In larder.toml: cache.cookies = ["{session}"], then `larder reload`. preset = '
            '"django" names "sessionid".',
            id="larder.E005",
        )
    for name, why in _told_by_cookie():
        outcome = client.explain(NOWHERE, cookies={name: "x"}).get("outcome")
        if not isinstance(outcome, dict) or outcome.get("token") != "bypass":
            yield checks.Warning(
                f"larder answers visitors who bear {name!r} from its store: {why}.",
                hint=f'In larder.toml: cache.bypass_cookies = ["{name}"], then `larder reload`. '
                'preset = "django" names "messages" and "django_language".',
                id="larder.W013",
            )


def _ignored(explained: dict[str, Any]) -> set[str]:
    """The cookies of a request that make no difference to larder."""
    said = [one.get("what", "") for one in explained.get("request", {}).get("left_out", [])]
    lists = [what.removeprefix("cookies: ") for what in said if what.startswith("cookies: ")]
    return {name for names in lists for name in names.split(", ")}


def _told_by_cookie() -> Iterator[tuple[str, str]]:
    """Cookies that pages differ by without Django saying `Vary: Cookie`, and what comes of it."""
    if MESSAGES in settings.MIDDLEWARE and not settings.MESSAGE_STORAGE.endswith("SessionStorage"):
        yield "messages", "they see what django.contrib.messages has to say too late"
    if LOCALE in settings.MIDDLEWARE:
        yield settings.LANGUAGE_COOKIE_NAME, "they are given pages in another language than chosen"
