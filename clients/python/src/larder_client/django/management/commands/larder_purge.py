"""`manage.py larder_purge`: have larder forget, now."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from larder_client import LarderError, Purge, Purged
from larder_client.asking import CannotAsk
from larder_client.django import conf
from larder_client.purge import ABSOLUTE

from .larder_warm import whole

#: The options that name what is to be forgotten, the list of the purge, and what is said of them.
SELECTORS = (
    ("tag", "tags", "what bears this tag, such as blog.article:1 or blog.article:list"),
    ("url", "urls", "this URL, as visitors write it, or this path of SITE"),
    ("path", "paths", "the same, with any query"),
    ("prefix", "prefixes", "the same, and all below it"),
    ("host", "hosts", "all of this host"),
)


class Command(BaseCommand):
    """Asks the proxy of settings.LARDER, and waits for what it says."""

    help = "Has larder forget pages by tag, URL, path, prefix or host, or all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What it takes."""
        for option, name, said in SELECTORS:
            parser.add_argument(
                f"--{option}",
                action="append",
                default=[],
                dest=name,
                metavar=option.upper(),
                help=f"{said}; may be repeated",
            )
        parser.add_argument("--all", action="store_true", help="everything that is stored")
        parser.add_argument(
            "--soft", action="store_true", help="stale, not gone: served while it is fetched"
        )
        parser.add_argument(
            "--refresh", action="store_true", help="fetch again what people ask for"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it would meet, and do nothing"
        )
        parser.add_argument("--json", action="store_true", help="say it as one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Purges, and says what was met. CommandError says what to do if that fails."""
        larder = conf.larder()
        if larder.problem:
            raise CommandError(f"{larder.problem}. Mend it, then purge.")
        try:
            for name in ABSOLUTE:
                options[name] = [whole(text) for text in options[name]]
            purge = Purge(
                **{name: frozenset(options[name]) for _, name, _ in SELECTORS},
                everything=options["all"],
                soft=options["soft"],
                refresh=options["refresh"],
            )
        except (TypeError, CannotAsk) as error:
            raise CommandError(str(error)) from None
        if not purge:
            names = ", ".join(f"--{option}" for option, _, _ in SELECTORS)
            raise CommandError(f"Say what is to be forgotten: {names} or --all.")
        if not larder.proxy.enabled:
            raise CommandError("LARDER['ENABLED'] is False, so nothing was sent. Set it to True.")
        try:
            purged = conf.client().purge(purge, dry_run=options["dry_run"])
        except LarderError as error:
            raise CommandError(f"Nothing was purged. {error}") from None
        if options["json"]:
            self.stdout.write(json.dumps(_document(purged, options["dry_run"]), sort_keys=True))
        else:
            self.stdout.write(_said(purged, options["dry_run"]))


def _document(purged: Purged, dry_run: bool) -> dict[str, object]:
    counts = {name: dict(met) for name, met in purged.counts.items()}
    return {
        "number": purged.number,
        "gone": purged.gone,
        "stale": purged.stale,
        "counts": counts,
        "dry_run": dry_run,
    }


def _said(purged: Purged, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    met = []
    if purged.gone or not purged.stale:
        met.append(f"{_responses(purged.gone)} {would}forgotten")
    if purged.stale:
        met.append(f"{_responses(purged.stale)} {would}made stale")
    lines = [", ".join(met)]
    for option, name, _ in SELECTORS:
        for text, count in purged.counts.get(name, {}).items():
            lines.append(f"  {option} {text}: {_responses(count)}")
    return "\n".join(lines)


def _responses(count: int) -> str:
    return f"{count:,} response" if count == 1 else f"{count:,} responses"
