"""`flask larder doctor`: is the cache set up well, and what becomes of the application's pages?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from ..asking import NO_PAGE, CannotAsk, Page, ask, whole
from ..errors import LarderError
from ..verdict import Words, failure_of, lines_of
from .routed import past_cached
from .sampling import SAMPLES, paths_of
from .state import State

_WORDS = Words(
    framework="flask",
    lifetime="@larder.cached(ttl=...)",
    tagging="Does the view read by SQLAlchemy, or have @larder.cached(tags=...) or larder.record?",
    missing=", and @larder.cached(ttl=...) those of its view",
)


@dataclass(frozen=True)
class Finding:
    """One sentence; `wrong` if there is something to mend."""

    text: str
    wrong: bool = False


@dataclass(frozen=True)
class Section:
    """What was looked at, and what was found."""

    title: str
    findings: list[Finding]


def examine(state: State, urls: Sequence[str], via: str | None) -> Iterator[Section]:
    """Looks at one thing after another."""
    yield Section("Settings", list(_settings(state)))
    if in_vain := list(_views(state.app)):
        yield Section("Views", in_vain)
    yield Section("Cookies", list(_cookies(state.app)))
    proxy = list(_proxy(state))
    yield Section("Proxy", proxy)
    if state.outbox is not None:
        yield Section("Outbox", [_outbox(state)])
    if not any(finding.wrong for finding in proxy):
        yield from _pages(state, urls, via)


def _settings(state: State) -> Iterator[Finding]:
    options = state.settings.options
    host = urlsplit(options.url)
    token = "with a token" if options.token else "without a token"
    yield Finding(f"larder's admin port is {options.url}, {token}")
    if not options.enabled:
        yield Finding("LARDER_ENABLED is False: nothing is purged", wrong=True)
    if options.token and host.scheme == "http" and host.hostname not in _LOOPBACK:
        yield Finding(
            f"the token goes to {host.hostname} in clear text: use https, or a private network",
            wrong=True,
        )
    if not state.settings.sqlalchemy:
        yield Finding("LARDER_SQLALCHEMY is False: pages bear only the tags that views name")


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _views(app: Flask) -> Iterator[Finding]:
    for name in past_cached(app):
        yield Finding(
            f"{name}: @larder.cached stands above the route, so Flask answers by the view without "
            "it. Put it below: first @app.route, then @larder.cached",
            wrong=True,
        )


def identifying(app: Flask) -> list[str]:
    """The cookies by which an application knows its visitors."""
    found = [app.config.get("SESSION_COOKIE_NAME") or "session"]
    if hasattr(app, "login_manager"):
        found.append(app.config.get("REMEMBER_COOKIE_NAME") or "remember_token")
    if "flask-jwt-extended" in app.extensions:
        found.append(app.config.get("JWT_ACCESS_COOKIE_NAME") or "access_token_cookie")
    return found


def _cookies(app: Flask) -> Iterator[Finding]:
    yield Finding(f"visitors are known by {' and '.join(identifying(app))}")
    if hasattr(app, "login_manager"):
        yield Finding(
            "Flask-Login is there, so every answer says Vary: Cookie: visitors without these "
            "cookies share pages, each with one has their own"
        )
    if not app.config.get("SESSION_COOKIE_HTTPONLY", True):
        yield Finding("SESSION_COOKIE_HTTPONLY is False: scripts can read sessions", wrong=True)


def _proxy(state: State) -> Iterator[Finding]:
    try:
        state.client.ping()
    except LarderError as error:
        yield Finding(str(error), wrong=True)
        return
    yield Finding(f"{state.settings.options.url} answers")
    names = identifying(state.app)
    site = state.settings.site or "http://127.0.0.1:6081"
    try:
        said = state.client.explain(f"{site}/", cookies=dict.fromkeys(names, "x"))
    except LarderError as error:
        yield Finding(f"larder can't be asked which cookies it looks at: {error}", wrong=True)
        return
    left_out = _cookies_left_out(said)
    if unknown := [name for name in names if name in left_out]:
        yield Finding(
            f"larder takes visitors with the cookie {' or '.join(unknown)} for anonymous ones: "
            f"name it in larder.toml, cache.cookies = [{', '.join(map(repr, names))}]",
            wrong=True,
        )
    else:
        yield Finding(f"larder tells visitors apart by {' and '.join(names)}")


def _cookies_left_out(said: Mapping[str, Any]) -> set[str]:
    request = said.get("request")
    entries = request.get("left_out", []) if isinstance(request, dict) else []
    found: set[str] = set()
    for entry in entries:
        kind, _, names = str(entry.get("what", "")).partition(": ")
        if kind == "cookies":
            found.update(name.strip() for name in names.split(","))
    return found


def _outbox(state: State) -> Finding:
    assert state.outbox is not None
    try:
        waiting = state.outbox.count()
    except Exception as error:
        return Finding(
            f"its table can't be read ({type(error).__name__}): `flask larder outbox --create` "
            "makes it, or a migration",
            wrong=True,
        )
    return Finding(f"{waiting} purges wait")


def _pages(state: State, urls: Sequence[str], via: str | None) -> Iterator[Section]:
    site = state.settings.site
    try:
        paths = urls or paths_of(state.app)[:SAMPLES]
        sample = [whole(url, site, "LARDER_SITE") for url in paths]
    except CannotAsk as error:
        yield Section("Pages", [Finding(str(error), wrong=True)])
        return
    if not sample:
        found = f"{NO_PAGE}, as `flask larder doctor /notes/1`"
        yield Section("Pages", [Finding(found, wrong=True)])
    pages = []
    for url in sample:
        try:
            # The first may have it stored, the second is given what is stored.
            ask(url, via)
            page = ask(url, via)
            explained = state.client.explain(url)
        except (CannotAsk, LarderError) as error:
            yield Section(url, [Finding(str(error), wrong=True)])
            continue
        pages.append(page)
        yield Section(url, _page(page, explained))
    if advice := list(_sessions(state.app, pages)):
        yield Section("Sessions", advice)


def _page(page: Page, explained: Mapping[str, Any]) -> list[Finding]:
    if failure := failure_of(page):
        return [Finding(failure, wrong=True)]
    return [Finding(line) for line in lines_of(page, explained, _WORDS)]


def _sessions(app: Flask, pages: Sequence[Page]) -> Iterator[Finding]:
    """What is advised where a page was seen to use the session."""
    using = [page.url for page in pages if _uses_session(app, page)]
    if using and app.config.get("SESSION_REFRESH_EACH_REQUEST"):
        yield Finding(
            f"advice: {using[0]} looks at the session. If sessions are permanent, every answer to "
            "their visitors sets a cookie, and none of these is stored: set "
            "SESSION_REFRESH_EACH_REQUEST to False, unless a session is to last from its last use"
        )


def _uses_session(app: Flask, page: Page) -> bool:
    """Whether an answer sets the session's cookie, or varies on it, as where a view reads it."""
    name = app.config.get("SESSION_COOKIE_NAME") or "session"
    vary = ",".join(page.all_of("Vary")).lower().split(",")
    sets = [line.partition("=")[0].strip() for line in page.all_of("Set-Cookie")]
    return name in sets or "cookie" in [one.strip() for one in vary]
