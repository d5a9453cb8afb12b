"""`flask larder`: ping, purge, warm, doctor, outbox."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import click
from flask.cli import AppGroup

from flask import current_app

from .. import asking
from ..asking import CannotAsk, Page, ask, sitemap
from ..errors import LarderError
from ..purge import ABSOLUTE, LISTS, Purge, Purged
from .doctor import examine
from .state import State

group = AppGroup("larder", help="The cache before this application.")


class _Failed(click.ClickException):
    """What went wrong, and what to do; the command ends with 1."""


def _state() -> State:
    state = current_app.extensions["larder"]
    assert isinstance(state, State)
    return state


def _sending() -> State:
    state = _state()
    if not state.settings.options.enabled:
        raise _Failed("LARDER_ENABLED is False, so nothing is sent. Set it to True.")
    return state


@group.command()
def ping() -> None:
    """Say whether larder is there and takes the token."""
    state = _state()
    try:
        state.client.ping()
    except LarderError as error:
        raise _Failed(str(error)) from None
    click.echo(f"{state.settings.options.url} is larder, and takes the token")


@group.command()
@click.option("--tag", "tags", multiple=True, help="What bears this tag; may be repeated.")
@click.option("--url", "urls", multiple=True, help="This URL, or this path of LARDER_SITE.")
@click.option("--path", "paths", multiple=True, help="The same, with any query.")
@click.option("--prefix", "prefixes", multiple=True, help="The same, and all below it.")
@click.option("--host", "hosts", multiple=True, help="All of this host.")
@click.option("--all", "everything", is_flag=True, help="Everything that is stored.")
@click.option("--soft", is_flag=True, help="Stale, not gone: served while it is fetched.")
@click.option("--refresh", is_flag=True, help="Fetch again what people ask for.")
@click.option("--dry-run", is_flag=True, help="Say what it would meet, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON object.")
def purge(
    everything: bool, soft: bool, refresh: bool, dry_run: bool, as_json: bool, **lists: Any
) -> None:
    """Have larder forget, and wait until it has."""
    try:
        for name in ABSOLUTE:
            lists[name] = [_whole(text) for text in lists[name]]
        wanted = Purge(
            **{name: frozenset(lists[name]) for name in LISTS},
            everything=everything,
            soft=soft,
            refresh=refresh,
        )
    except (TypeError, CannotAsk) as error:
        raise _Failed(str(error)) from None
    if not wanted:
        raise click.UsageError(
            "Say what is to be forgotten: --tag, --url, --path, --prefix, --host or --all."
        )
    try:
        purged = _sending().client.purge(wanted, dry_run=dry_run)
    except LarderError as error:
        raise _Failed(f"Nothing was purged. {error}") from None
    if as_json:
        counts = {name: dict(met) for name, met in purged.counts.items()}
        document = {"number": purged.number, "gone": purged.gone, "stale": purged.stale}
        click.echo(json.dumps({**document, "counts": counts, "dry_run": dry_run}, sort_keys=True))
        return
    for line in _said(purged, dry_run):
        click.echo(line)


def _said(purged: Purged, dry_run: bool) -> list[str]:
    total = purged.gone + purged.stale
    done = "would be met" if dry_run else "made stale" if purged.stale else "forgotten"
    lines = [f"{_responses(total)} {done}"]
    for name, counts in purged.counts.items():
        one = {"tags": "tag", "urls": "url", "paths": "path", "prefixes": "prefix", "hosts": "host"}
        lines += [f"  {one[name]} {text}: {_responses(met)}" for text, met in counts.items()]
    return lines


def _responses(number: int) -> str:
    return f"{number} response" + ("" if number == 1 else "s")


@group.command()
@click.argument("urls", nargs=-1)
@click.option("--sitemap", "sitemaps", multiple=True, help="A sitemap's URL; may be repeated.")
@click.option("--via", help="Where larder is, as 127.0.0.1:6081; else where the URLs say.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=4, show_default=True)
def warm(
    urls: tuple[str, ...], sitemaps: tuple[str, ...], via: str | None, concurrency: int
) -> None:
    """Ask for pages through larder, so that they are stored before visitors come.

    URLS are whole, or paths of LARDER_SITE; without any, those of its /sitemap.xml.
    """
    try:
        wanted = _chosen(urls, sitemaps, via)
    except CannotAsk as error:
        raise _Failed(str(error)) from None
    said: Counter[str] = Counter()
    failures = []
    with ThreadPoolExecutor(concurrency) as pool:
        for found in pool.map(lambda url: _asked(url, via), wanted):
            if isinstance(found, Page):
                said[_became(found)] += 1
            else:
                failures.append(found)
    click.echo(f"{len(wanted)} pages asked for")
    for what, number in said.most_common():
        click.echo(f"  {number} {what}")
    for failure in failures[:10]:
        click.echo(failure, err=True)
    if failures:
        raise _Failed(f"{len(failures)} of {len(wanted)} pages could not be had.")


def _chosen(urls: tuple[str, ...], sitemaps: tuple[str, ...], via: str | None) -> list[str]:
    site = _state().settings.site
    found = [_whole(url) for url in urls]
    if not urls and not sitemaps:
        if site is None:
            raise CannotAsk(
                "Name some URLs or a --sitemap, or set LARDER_SITE to how visitors reach the site "
                "through larder: then its /sitemap.xml is taken."
            )
        sitemaps = (f"{site}/sitemap.xml",)
    for one in sitemaps:
        found.extend(sitemap(_whole(one), via))
    return list(dict.fromkeys(found))


def _whole(url: str) -> str:
    return asking.whole(url, _state().settings.site, "LARDER_SITE")


def _asked(url: str, via: str | None) -> Page | str:
    try:
        return ask(url, via)
    except CannotAsk as error:
        return str(error)


def _became(page: Page) -> str:
    if page.cache is None:
        return "answered past larder"
    if "hit" in page.cache.split(";")[0]:
        return "already stored"
    if "stored" in page.cache:
        return "stored"
    return f"not stored ({page.reason or f'status {page.status}'})"


@group.command()
@click.argument("urls", nargs=-1)
@click.option("--via", help="Where larder is, as 127.0.0.1:6081; else where the URLs say.")
def doctor(urls: tuple[str, ...], via: str | None) -> None:
    """Say what is wrong with settings, cookies and the proxy, and what becomes of pages.

    URLS are whole, or paths of LARDER_SITE; without any, ten of the application's own.
    """
    wrong = 0
    for section in examine(_state(), urls, via):
        click.echo(section.title)
        for finding in section.findings:
            wrong += finding.wrong
            mark = click.style("  mend: ", fg="yellow") if finding.wrong else "  "
            click.echo(mark + finding.text)
    if wrong:
        raise _Failed("One thing to mend." if wrong == 1 else f"{wrong} things to mend.")


@group.command()
@click.option("--create", is_flag=True, help="Make the table, unless it is there.")
@click.option("--deliver", is_flag=True, help="Send what waits, now.")
def outbox(create: bool, deliver: bool) -> None:
    """Say how many purges wait in the outbox."""
    state = _state()
    box = state.outbox
    if box is None:
        raise _Failed("There is no outbox. Set LARDER_OUTBOX to True.")
    try:
        if create:
            box.create()
        waiting = box.count()
        if deliver:
            _deliver(_sending(), waiting)
            return
    except LarderError as error:
        raise _Failed(f"Nothing more was sent, and what waits is kept. {error}") from None
    except Exception as error:
        raise _Failed(
            f"The table {box.table.fullname} can't be used ({type(error).__name__}: {error}). "
            "`flask larder outbox --create` makes it, or a migration."
        ) from None
    click.echo(f"{waiting} purges wait" if waiting != 1 else "1 purge waits")


def _deliver(state: State, waiting: int) -> None:
    box = state.outbox
    assert box is not None
    sent = 0
    while rows := box.pending(1_000, young=0):
        together = Purge()
        for _, one in rows:
            # Soft and hard ones together are hard: what is gone is fetched anew, too.
            together |= replace(one, refresh=one.refresh)
        state.client.purge(together)
        box.done([key for key, _ in rows])
        sent += len(rows)
    click.echo(f"{sent} of {waiting} purges delivered")
