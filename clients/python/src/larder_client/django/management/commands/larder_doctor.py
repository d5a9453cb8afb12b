"""`manage.py larder_doctor`: is the cache set up well, and what becomes of the site's pages?"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.management.base import BaseCommand, CommandError

from larder_client import LarderError, asking
from larder_client.asking import CannotAsk
from larder_client.django import checks, conf, sampling, verdict
from larder_client.verdict import failure_of

from .larder_warm import chosen

#: How many pages are looked at without being named.
SAMPLES = 10


class Command(BaseCommand):
    """Looks at the settings, the middleware, the cookies, the proxy and some pages."""

    help = (
        "Says what is wrong with the settings, the order of middleware, the cookies and the proxy, "
        "and what becomes of some pages: those named, of a sitemap, or of the URLconf."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What it takes."""
        parser.add_argument(
            "urls", nargs="*", metavar="URL", help="a page, as visitors write it, or a path of SITE"
        )
        parser.add_argument("--sitemap", action="append", default=[], help="a sitemap's URL")
        parser.add_argument(
            "--via",
            metavar="ADDRESS",
            help="where larder is, as 127.0.0.1:6081; without it, where the URLs say",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Looks. CommandError at the end if something is wrong."""
        self.wrong = 0
        self._section("Settings", checks.check_settings(), self._settings())
        order = [name.rpartition(".")[2] for name in settings.MIDDLEWARE]
        self._section("Middleware", checks.check_middleware(), " > ".join(order))
        proxy = checks.check_proxy()
        away = [one for one in proxy if one.id in ("larder.E004", "larder.W011")]
        cookies = [one for one in proxy if one not in away]
        # Where larder can't be asked about them, their names are all that can be looked at.
        cookies += checks.check_cookies() if away else []
        fine = f"{settings.SESSION_COOKIE_NAME} says who a visitor is"
        self._section("Cookies", [*cookies, *checks.check_public_pages()], fine)
        self._section("Proxy", away, f"{conf.larder().proxy.url} answers")
        if not away and not conf.larder().problem:
            self._pages(options["urls"], options["sitemap"], options["via"])
        if self.wrong:
            raise CommandError(f"{self.wrong} to mend" if self.wrong > 1 else "One thing to mend")

    def _settings(self) -> str:
        larder = conf.larder()
        told = [larder.proxy.url, "with a token" if larder.proxy.token else "without a token"]
        told.append(f"the site is {larder.site}" if larder.site else "SITE is not set")
        if not larder.proxy.enabled:
            told.append("ENABLED is False: nothing is purged")
        return ", ".join(told)

    def _section(self, title: str, messages: Iterable[CheckMessage], fine: str) -> None:
        self.stdout.write(title)
        found = [one for one in messages if not one.is_silenced()]
        for message in found:
            self.wrong += 1
            self.stdout.write(self.style.WARNING(f"  {message.id}: {message.msg}"))
            self.stdout.write(f"    {message.hint}")
        if not found:
            self.stdout.write(f"  well: {fine}")

    def _pages(self, urls: list[str], sitemaps: list[str], via: str | None) -> None:
        self.stdout.write("Pages")
        try:
            sample = self._sample(urls, sitemaps, via)
        except CannotAsk as error:
            self._mend(str(error))
            return
        if not sample:
            self._mend(f"{asking.NO_PAGE}, as `larder_doctor /articles/1/`")
        for url in sample:
            self.stdout.write(f"  {url}")
            try:
                # The first may have it stored, the second is given what is stored.
                asking.ask(url, via)
                page = asking.ask(url, via)
                explained: Mapping[str, Any] = conf.client().explain(url)
            except (CannotAsk, LarderError) as error:
                self._mend(str(error))
                continue
            if failure := failure_of(page):
                self._mend(failure)
                continue
            for line in verdict.lines_of(page, explained):
                self.stdout.write(f"    {line}")

    def _sample(self, urls: list[str], sitemaps: list[str], via: str | None) -> list[str]:
        if urls or sitemaps:
            return chosen(urls, sitemaps, via)[: max(SAMPLES, len(urls))]
        site = conf.larder().site
        if site is None:
            raise CannotAsk(
                "No page was looked at: name some, or set LARDER['SITE'] to how visitors reach "
                "the site through larder, as http://127.0.0.1:6081."
            )
        try:
            found = list(dict.fromkeys(asking.sitemap(f"{site}/sitemap.xml", via)))
        except CannotAsk:
            found = []
        return (found or [site + path for path in sampling.paths_of_urlconf()])[:SAMPLES]

    def _mend(self, text: str) -> None:
        self.wrong += 1
        self.stdout.write(self.style.WARNING(f"    {text}"))
