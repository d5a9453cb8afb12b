"""For unit tests without a proxy: what would have been sent."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from ..client import Client
from ..errors import LarderError
from ..options import Options
from ..purge import LISTS, Purge, Purged
from ..sender import Sender


class Recorder(Sender):
    """A Sender, and the Client of one, that keep what they are given. Nothing leaves the test.

    `recorder.client.failing = Unreachable("...")` has the client fail with that.
    """

    client: RecordingClient

    def __init__(self, options: Options | None = None) -> None:
        self.sent: list[Purge] = []
        super().__init__(RecordingClient(options, self.sent))

    def send(self, purge: Purge, *, key: object | None = None) -> None:
        """Keeps it, if there is anything in it."""
        if purge:
            self.sent.append(purge)

    def clear(self) -> None:
        """Forgets what was kept."""
        self.sent.clear()

    @property
    def purge(self) -> Purge:
        """All of it as one."""
        return reduce(or_, self.sent, Purge())

    def assert_purged(
        self,
        *,
        tags: Iterable[str] = (),
        urls: Iterable[str] = (),
        paths: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        hosts: Iterable[str] = (),
    ) -> None:
        """All of these were purged; others may have been too."""
        wanted = Purge(
            frozenset(tags),
            frozenset(urls),
            frozenset(paths),
            frozenset(prefixes),
            frozenset(hosts),
        )
        done = self.purge
        if done.everything:
            return
        missing = {name: getattr(wanted, name) - getattr(done, name) for name in LISTS}
        if any(missing.values()):
            lacks = "; ".join(f"{name} {sorted(texts)}" for name, texts in missing.items() if texts)
            raise AssertionError(f"not purged: {lacks}\npurged: {_shown(self.sent)}")

    def assert_nothing_purged(self) -> None:
        """Nothing was."""
        if self.sent:
            raise AssertionError(f"purged: {_shown(self.sent)}")


class RecordingClient(Client):
    """The client of a Recorder."""

    def __init__(self, options: Options | None, sent: list[Purge]) -> None:
        super().__init__(options)
        self._sent = sent
        #: What `purge` raises, if anything.
        self.failing: LarderError | None = None

    def purge(self, purge: Purge, *, dry_run: bool = False) -> Purged:
        """Keeps it, unless it is only tried."""
        if self.failing is not None:
            raise self.failing
        if purge and not dry_run:
            self._sent.append(purge)
        return Purged(number=len(self._sent))


def _shown(sent: list[Purge]) -> str:
    return "".join(f"\n  {purge.to_json()}" for purge in sent) or "nothing"
