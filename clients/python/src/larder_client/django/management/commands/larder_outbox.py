"""`manage.py larder_outbox`: what waits in the outbox, and its delivery."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from larder_client import LarderError, Refused
from larder_client.django import conf
from larder_client.django.models import PendingPurge
from larder_client.django.orm import outbox
from larder_client.django.orm.outbox import Outbox


class Command(BaseCommand):
    """Says what waits; delivers it with `--once`, or again and again with `--watch`."""

    help = (
        "Shows the purges that are committed and not delivered. --once delivers those that their "
        'own process has not within ten seconds; --watch goes on doing so. See LARDER["OUTBOX"].'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="deliver what is due, and end")
        how.add_argument("--watch", action="store_true", help="deliver what is due, until stopped")
        parser.add_argument(
            "--all",
            action="store_true",
            help="with --once: deliver all, also what another process may be delivering",
        )
        parser.add_argument(
            "--interval", type=float, default=5.0, help="seconds between looks of --watch"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if something could not be delivered."""
        if options["all"] and not options["once"]:
            raise CommandError("--all goes with --once")
        if not 0.1 <= options["interval"] <= 3600:
            raise CommandError("--interval is 0.1 to 3600 seconds")
        if options["watch"]:
            self._watch(options["interval"])
        elif options["once"]:
            if options["all"]:
                self._hurry()
            self.stdout.write(f"{self._deliver()} delivered")
        self._show()

    def _show(self) -> None:
        for alias in outbox.aliases():
            try:
                number, oldest = outbox.waiting(alias)
            except DatabaseError as error:
                raise CommandError(
                    f"The outbox of {alias!r} can't be read ({error}); run `manage.py migrate "
                    f"--database={alias}`"
                ) from None
            age = "" if oldest is None else f", the oldest for {_age(oldest)}"
            self.stdout.write(f"{alias}: {number} waiting{age}")

    def _hurry(self) -> None:
        for alias in outbox.aliases():
            PendingPurge.objects.using(alias).update(due=timezone.now())

    def _deliver(self) -> int:
        """Delivers what is due; gives the number of rows."""
        if not conf.larder().proxy.enabled:
            raise CommandError('LARDER["ENABLED"] is False, or its settings are wrong: see `check`')
        box, delivered = Outbox(), 0
        while rows := box.pending(1_000):
            for key, purge in rows:
                try:
                    conf.client().purge(purge)
                except Refused as error:
                    raise CommandError(f"larder refuses a purge: {error}") from None
                except LarderError as error:
                    raise CommandError(f"{error}. {delivered} delivered; the rest waits.") from None
                box.done([key])
                delivered += 1
        return delivered

    def _watch(self, interval: float) -> None:
        try:
            while True:
                try:
                    delivered = self._deliver()
                except (CommandError, DatabaseError) as error:
                    self.stderr.write(str(error))
                else:
                    if delivered:
                        self.stdout.write(f"{delivered} delivered")
                time.sleep(interval)
        except KeyboardInterrupt:
            self.stdout.write("")


def _age(since: Any) -> str:
    seconds = int((timezone.now() - since).total_seconds())
    hours, rest = divmod(max(0, seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
