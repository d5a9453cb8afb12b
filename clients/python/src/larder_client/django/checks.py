"""System checks: `manage.py check`, and with `--deploy` whether the proxy is there.

docs/django.md has a table of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks

from larder_client import ConfigurationError, LarderError, Purge, Refused

from . import agreement, conf, forms
from .order import LOCALE, middleware_messages
from .orm import names

HOME = "the proxy's larder.toml"


def register() -> None:
    """Has `manage.py check` and `runserver` make these."""
    checks.register(check_settings, checks.Tags.caches)
    checks.register(check_middleware, checks.Tags.caches)
    checks.register(check_cookies, checks.Tags.caches)
    checks.register(check_query_caches, checks.Tags.caches)
    checks.register(check_public_pages, checks.Tags.caches, deploy=True)
    checks.register(check_proxy, checks.Tags.caches, deploy=True)


def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """`settings.LARDER` itself: E001 to E003, W001, W002, W012."""
    if not hasattr(settings, "LARDER"):
        return [
            checks.Warning(
                "LARDER is not set: purges go to http://127.0.0.1:6082, without a token.",
                hint="Say where larder's admin port is: "
                'LARDER = {"URL": "http://127.0.0.1:6082"}.',
                id="larder.W002",
            )
        ]
    try:
        larder = conf.read(settings.LARDER)
    except ConfigurationError as error:
        kind = "E002" if isinstance(settings.LARDER, dict) else "E001"
        return [
            checks.Error(
                f"{error}.",
                hint="Until this is mended nothing is purged, and larder keeps no page for long.",
                id=f"larder.{kind}",
            )
        ]
    ignored = settings.LARDER.get("IGNORE_MODELS", ())
    return [*_of_models(ignored), *_of_token(larder), *_of_forms(larder)]


def _of_forms(larder: conf.Larder) -> Iterator[checks.CheckMessage]:
    problem = forms.cookie_problem() if larder.forms else None
    if problem:
        yield checks.Warning(
            f"LARDER['FORMS'] is set, but larder can't fill in forms: {problem}.",
            hint="{% larder_csrf %} does what {% csrf_token %} does then, and pages with it are "
            "not kept. Change that setting, or leave FORMS off.",
            id="larder.W012",
        )


def _of_models(ignored: object) -> Iterator[checks.CheckMessage]:
    for problem in names.problems(ignored):
        yield checks.Error(
            f"settings.LARDER: {problem}.",
            hint="Name an app by its label, or one of its models: ['auth', 'shop.Visit'].",
            id="larder.E002",
        )


def _of_token(larder: conf.Larder) -> Iterator[checks.CheckMessage]:
    parts = urlsplit(larder.proxy.url)
    if not larder.proxy.enabled or _is_this_machine(parts.hostname or ""):
        return
    if larder.proxy.token is None:
        yield checks.Error(
            f"LARDER['URL'] is {larder.proxy.url}, on another machine, and there is no token.",
            hint="larder takes purges from elsewhere with a token only. Set LARDER['TOKEN'], or "
            f"LARDER_TOKEN in the environment, to admin.token of {HOME}.",
            id="larder.E003",
        )
    elif parts.scheme == "http":
        yield checks.Warning(
            f"The token goes to {larder.proxy.url} in the clear.",
            hint="Whoever can listen on the way can purge. Use https:// (a TLS proxy before the "
            "admin port), or silence this if the network is private.",
            id="larder.W001",
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_middleware(**_: Any) -> list[checks.CheckMessage]:
    """That the middleware is there, and in an order that works: W003 to W007."""
    return middleware_messages(list(settings.MIDDLEWARE))


def check_cookies(**_: Any) -> list[checks.CheckMessage]:
    """W008: names of cookies that the proxy's preset doesn't know."""
    found: list[checks.CheckMessage] = []
    for name, usual, key, harm in _COOKIES:
        actual = getattr(settings, name, usual)
        if actual == usual or (name.startswith("LANGUAGE") and LOCALE not in settings.MIDDLEWARE):
            continue
        found.append(
            checks.Warning(
                f"{name} is {actual!r}, and larder's preset for Django knows {usual!r}: {harm}.",
                hint=f'Name it in {HOME}: {key} = ["{actual}"] (`larder init` writes it), and '
                "silence this then.",
                id="larder.W008",
            )
        )
    return found


#: Settings for the names of cookies, their defaults, the proxy's key, and what a wrong name does.
_COOKIES = (
    (
        "SESSION_COOKIE_NAME",
        "sessionid",
        "cache.cookies",
        "it would take visitors who are logged in for anonymous ones",
    ),
    (
        "LANGUAGE_COOKIE_NAME",
        "django_language",
        "cache.bypass_cookies",
        "whoever has chosen a language would be given pages in another one",
    ),
)


def check_query_caches(**_: Any) -> list[checks.CheckMessage]:
    """W014: apps that answer queries from a cache of their own, where nobody sees them."""
    installed = [config.name for config in apps.get_app_configs()]
    ours = installed.index("larder_client.django")
    return [
        checks.Warning(
            f"{name} answers queries from a cache of its own: pages have no tags of what they "
            "read by it, and stay as they were when that changes.",
            hint=hint,
            id="larder.W014",
        )
        for name, hint in _QUERY_CACHES.items()
        if name in installed and (name != "cachalot" or installed.index(name) > ours)
    ]


#: django-cachalot hooks in where we do: if it was there before, its answers are seen.
_QUERY_CACHES = {
    "cachalot": "List it above 'larder_client.django' in INSTALLED_APPS.",
    "cacheops": "Leave it off for what pages with @larder_cache show, or name their tags by hand.",
}


def check_public_pages(**_: Any) -> list[checks.CheckMessage]:
    """What sessions and messages mean for pages that all share: W009, W010 (with --deploy)."""
    found: list[checks.CheckMessage] = []
    if settings.SESSION_SAVE_EVERY_REQUEST:
        found.append(
            checks.Warning(
                "SESSION_SAVE_EVERY_REQUEST is on: every answer to a visitor with a session sets "
                "a cookie, and is not kept.",
                hint="Leave it off, and write to request.session only where something changes.",
                id="larder.W009",
            )
        )
    storage = settings.MESSAGE_STORAGE
    uses_messages = "django.contrib.messages.middleware.MessageMiddleware" in settings.MIDDLEWARE
    if uses_messages and storage.endswith("session.SessionStorage"):
        found.append(
            checks.Warning(
                "MESSAGE_STORAGE keeps messages in the session, where larder can't see that a "
                "visitor has one: it may answer from its store, and the message comes later.",
                hint="Use django.contrib.messages.storage.fallback.FallbackStorage (Django's own "
                f'choice), and in {HOME} cache.bypass_cookies = ["messages"] or preset = "django".',
                id="larder.W010",
            )
        )
    return found


def check_proxy(**_: Any) -> list[checks.CheckMessage]:
    """Whether larder answers and lets us purge (E004, W011); then whether it knows the cookies.

    (With --deploy.)
    """
    larder = conf.larder()
    if larder.problem or not larder.proxy.enabled:
        return []
    client = conf.client()
    try:
        client.purge(Purge(tags=frozenset({"larder-check"})), dry_run=True)
    except Refused as error:
        hint = _HOW_REFUSED if error.status in (401, 403) else _HOW_ELSEWHERE
        return [checks.Error(f"larder refuses: {error}", hint=hint, id="larder.E004")]
    except LarderError as error:
        return [
            checks.Warning(f"larder does not answer: {error}", hint=_HOW_AWAY, id="larder.W011")
        ]
    try:
        return list(agreement.cookie_messages(client))
    except LarderError:
        return []  # A token that may purge need not be one that may look.


_HOW_REFUSED = (
    f"Set LARDER['TOKEN'], or LARDER_TOKEN in the environment, to admin.token of {HOME}, and let "
    "admin.networks there name this machine."
)
_HOW_ELSEWHERE = (
    f"Correct LARDER['URL']: it is admin.listen of {HOME}, http://127.0.0.1:6082 unless that says "
    "otherwise. Where visitors go is LARDER['SITE']."
)
_HOW_AWAY = (
    f"Start it (`larder run`), or correct LARDER['URL']: it is admin.listen of {HOME}. Pages are "
    "served all the same, but what changes now stays in the cache for its lifetime."
)
