"""`manage.py larder_warm`: ask for pages before visitors do."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from larder_client import asking
from larder_client.asking import CannotAsk, Page
from larder_client.django import conf


class Command(BaseCommand):
    """Asks for each page once, and sums up what larder did."""

    help = (
        "Asks for pages through larder, so that they are stored before visitors come. Without "
        "URLs, for those of /sitemap.xml at LARDER['SITE']."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What it takes."""
        parser.add_argument(
            "urls", nargs="*", metavar="URL", help="a page, as visitors write it, or a path of SITE"
        )
        parser.add_argument(
            "--sitemap", action="append", default=[], help="a sitemap's URL; may be repeated"
        )
        parser.add_argument(
            "--via",
            metavar="ADDRESS",
            help="where larder is, as 127.0.0.1:6081; without it, where the URLs say",
        )
        parser.add_argument("--concurrency", type=int, default=4, help="requests at a time (4)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Warms. CommandError if a sitemap is none, or if any page failed."""
        if not 1 <= options["concurrency"] <= 256:
            raise CommandError("--concurrency is to be within 1 and 256.")
        via = options["via"]
        try:
            urls = chosen(options["urls"], options["sitemap"], via)
        except CannotAsk as error:
            raise CommandError(str(error)) from None
        said: Counter[str] = Counter()
        reasons: dict[str, list[str]] = {}
        failures: list[str] = []
        with ThreadPoolExecutor(options["concurrency"]) as pool:
            for found in pool.map(lambda url: _asked(url, via), urls):
                if isinstance(found, str):
                    failures.append(found)
                    continue
                kind = _kind(found)
                said[kind] += 1
                if kind == _NOT_STORED:
                    reasons.setdefault(found.reason or f"status {found.status}", []).append(
                        found.url
                    )
        self.stdout.write(_summary(len(urls), said, reasons))
        for failure in failures[:10]:
            self.stderr.write(failure)
        if failures:
            raise CommandError(f"{len(failures)} of {len(urls)} pages could not be had.")


def chosen(urls: list[str], sitemaps: list[str], via: str | None) -> list[str]:
    """The URLs that are meant, each once. Raises CannotAsk if there are none, or no sitemap."""
    site = conf.larder().site
    found = [whole(url) for url in urls]
    if not urls and not sitemaps:
        if site is None:
            raise CannotAsk(
                "Name some URLs or a --sitemap, or set LARDER['SITE'] to how visitors reach the "
                "site: then its /sitemap.xml is taken."
            )
        sitemaps = [f"{site}/sitemap.xml"]
    for one in sitemaps:
        found.extend(asking.sitemap(whole(one), via))
    return list(dict.fromkeys(found))


def whole(url: str) -> str:
    """A URL, or a path of SITE, made whole. Raises CannotAsk if SITE is not set."""
    return asking.whole(url, conf.larder().site, "LARDER['SITE']")


_NOT_STORED = "not stored"
_PAST = "answered past larder: is --via, or LARDER['SITE'], larder's address?"


def _asked(url: str, via: str | None) -> Page | str:
    try:
        page = asking.ask(url, via)
    except CannotAsk as error:
        return str(error)
    return page if page.status < 500 else f"{url} was answered with {page.status}"


def _kind(page: Page) -> str:
    if page.cache is None:
        return _PAST
    if page.cache.startswith("hit"):
        return "fresh in the cache already"
    return "stored now" if "stored" in page.cache or "collapsed" in page.cache else _NOT_STORED


def _summary(number: int, said: Counter[str], reasons: dict[str, list[str]]) -> str:
    lines = [f"{number} page asked for" if number == 1 else f"{number} pages asked for"]
    lines += [f"{count:8,}  {kind}" for kind, count in said.most_common()]
    if reasons:
        lines += ["", "Not stored:"]
    for reason, urls in sorted(reasons.items(), key=lambda item: -len(item[1])):
        lines += [f"{len(urls):8,}  {reason}", f"          such as {urls[0]}"]
    return "\n".join(lines)
