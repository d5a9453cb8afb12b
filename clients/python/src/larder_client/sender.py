"""Purges in the background, so that no request waits for the proxy, or fails with it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

from . import process
from .client import Client
from .errors import LarderError, Refused
from .notices import Notices
from .outbox import Outbox
from .purge import Purge
from .waiting import Parcel, Waiting, pause

logger = logging.getLogger("larder_client")


class _Locks:
    """What threads wait for each other by. Made when it is first needed, and not sooner: after
    gunicorn has loaded an application (`preload`) and forked, gevent puts its own locks in place
    of Python's. One of Python's would stop the whole process then.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.calling = threading.RLock()
        self.notices = Notices(logger)


class Sender:
    """Delivers purges by a thread of its own, which starts with the first one.

    What waits is merged and sent together; what fails is tried again with growing pauses. A
    purge that can't be delivered is left to the outbox, or lost with a line in the log. After a
    fork the child has a thread of its own, and the parent delivers what it had. At the end of
    the process what still waits is delivered, within `close`'s bound.
    """

    #: How often the outbox is looked at, in seconds.
    POLL = 30.0
    #: How many rows of it are taken at a time.
    ROWS = 1_000

    def __init__(self, client: Client, outbox: Outbox | None = None) -> None:
        self.client = client
        self.outbox = outbox
        self.begin()
        process.register(self)

    def begin(self) -> None:
        """The state of a process that has sent nothing."""
        self.__dict__.pop("_made", None)
        self._waiting = Waiting(self.client.options.queue)
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._busy = False
        # What the thread is trying to deliver.
        self._on_its_way: list[Parcel] = []
        self._hurry = False
        self._failures = 0
        self._lost = 0
        self._poll_at = 0.0

    @property
    def _locks(self) -> _Locks:
        # `setdefault` of a dict is one step, whoever else does it.
        made: _Locks = self.__dict__.get("_made") or self.__dict__.setdefault("_made", _Locks())
        return made

    @property
    def _changed(self) -> threading.Condition:
        return self._locks.changed

    @property
    def calling(self) -> Any:
        """Held while the thread is in a call: see `process`."""
        return self._locks.calling

    @property
    def _notices(self) -> Notices:
        return self._locks.notices

    def send(self, purge: Purge, *, key: object | None = None) -> None:
        """Has this delivered, and returns at once. Never raises for what the proxy does.

        `key` is the outbox's row with this purge: it is done once this has been delivered.
        """
        if not purge or not self.client.options.enabled:
            return
        with self._changed:
            gone = self._waiting.add(Parcel(purge, set() if key is None else {key}))
            self._changed.notify_all()
        self._give_up(gone, _QUEUE_FULL)
        self.start()
        if process.ends():
            self.flush(process.PATIENCE)

    def start(self) -> None:
        """Starts the thread, if it isn't there: an outbox may have something from before."""
        with self._changed:
            self._stopping = False
            if self._thread is not None and self._thread.is_alive():
                return
            self._thread = threading.Thread(target=self._run, name="larder-sender", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                # The interpreter is about to end: `close` delivers what waits.
                self._thread = None

    def poll(self) -> None:
        """Has the outbox looked at now; `flush` waits for that too."""
        with self._changed:
            self._poll_at = 0.0
            self._changed.notify_all()
        self.start()

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all has been delivered, at most so many seconds. False if it hasn't been.

        A pause after a failure is cut short.
        """
        if self._thread is None:
            return self._deliver_here()
        with self._changed:
            lost = self._lost
            self._hurry = self._has_work()
            self._changed.notify_all()
            idle = self._changed.wait_for(lambda: not self._has_work(), timeout)
            return idle and self._lost == lost

    def close(self, timeout: float = process.PATIENCE) -> bool:
        """Delivers what waits within so many seconds, and ends the thread.

        False if something is left undelivered. A later `send` starts again.
        """
        delivered = self.flush(timeout)
        with self._changed:
            self._stopping = True
            left = [*self._on_its_way, *self._waiting.take()]
            self._changed.notify_all()
        self._give_up(left, "the process ends, and larder hasn't answered")
        return delivered

    # The thread.

    def _run(self) -> None:
        while self._step():
            pass

    def _step(self) -> bool:
        """Waits for something to do and does it; False once it is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._due(), self._until_poll())
            if self._stopping:
                self._thread = None
                return False
            parcels = self._waiting.take()
            self._busy, self._hurry = True, False
        try:
            self._deliver(parcels or self._from_outbox())
        except Exception:
            # Nothing may end the thread: what came with it is lost, the next goes on.
            self._lost += 1
            logger.exception("larder's sender has an error of its own; please report it")
        finally:
            with self._changed:
                self._on_its_way = []
                self._busy = False
                self._changed.notify_all()
        self._rest()
        return True

    def _due(self) -> bool:
        return bool(self._waiting) or self._until_poll() == 0

    def _has_work(self) -> bool:
        return self._busy or self._due()

    def _until_poll(self) -> float | None:
        return None if self.outbox is None else max(0.0, self._poll_at - time.monotonic())

    def _rest(self) -> None:
        """The pause after a failure, unless somebody is in a hurry."""
        if self._failures:
            with self._changed:
                seconds = pause(self._failures)
                self._changed.wait_for(lambda: self._hurry or self._stopping, seconds)

    def _from_outbox(self) -> list[Parcel]:
        self._poll_at = time.monotonic() + self.POLL
        if self.outbox is None:
            return []
        try:
            with self.calling:
                rows = self.outbox.pending(self.ROWS)
        except Exception as error:
            self._notices.say(
                logging.ERROR,
                "outbox",
                "the outbox can't be read (%s: %s); what is in it waits: see to its table",
                *(type(error).__name__, error),
            )
            return []
        waiting = Waiting(most=1 << 62)
        for key, purge in rows:
            waiting.add(Parcel(purge, {key}))
        parcels = waiting.take()
        for parcel in parcels:
            parcel.from_outbox = True
        if len(rows) == self.ROWS:
            self._poll_at = 0.0  # There may be more.
        return parcels

    def _deliver_here(self) -> bool:
        """Delivers what waits, once, where no thread can be started any more."""
        lost = self._lost
        with self._changed:
            parcels = self._waiting.take()
        self._deliver(parcels)
        return not self._waiting and self._lost == lost

    # Delivering: each parcel ends delivered, given up, or back in the queue.

    def _deliver(self, parcels: Iterable[Parcel]) -> None:
        self._on_its_way = list(parcels)
        while self._on_its_way:
            self._deliver_one(self._on_its_way[0])
            del self._on_its_way[0]

    def _deliver_one(self, parcel: Parcel) -> None:
        left = list(parcel.purge.batches())
        while left:
            try:
                self._purge(left[0])
            except Refused as error:
                # A token for tags may have been asked for more: the tags are not to go with it.
                apart = parcel.apart() if error.status == 403 else []
                if apart:
                    for one in apart:
                        self._deliver_one(one)
                    return
                self._give_up([parcel], str(error))
                self._poll_at = time.monotonic() + self.POLL
                return
            except LarderError as error:
                self._failed(parcel, left, error)
                return
            del left[0]
        self._failures = 0
        self._done(parcel)

    def _purge(self, batch: Purge) -> None:
        """Sends it, without the selectors that larder finds wrong: they would spoil the others."""
        while batch:
            try:
                with self.calling:
                    self.client.purge(batch)
                return
            except Refused as error:
                wrong = error.wrong()
                if not wrong:
                    raise
                for name, text, detail in wrong:
                    self._notices.say(
                        logging.ERROR,
                        f"wrong {name}",
                        "%r is left out of a purge, since larder can't read it: %s",
                        *(text, detail),
                    )
                batch = batch.without((name, text) for name, text, _ in wrong)

    def _failed(self, parcel: Parcel, left: list[Purge], error: LarderError) -> None:
        self._failures += 1
        parcel.failures += 1
        self._poll_at = time.monotonic() + self.POLL
        if parcel.from_outbox or parcel.failures >= self.client.options.attempts:
            self._give_up([parcel], str(error))
            return
        if self._stopping:
            return  # Whoever closed it has said that this is lost.
        self._notices.say(
            logging.WARNING,
            "failed",
            "a purge (%s) is not delivered yet, and is tried again: %s",
            *(_named(parcel.purge), error),
        )
        parcel.purge = _joined(left)
        with self._changed:
            gone = self._waiting.put_back([parcel])
        self._give_up(gone, _QUEUE_FULL)

    def _give_up(self, parcels: Iterable[Parcel], why: str) -> None:
        for parcel in parcels:
            with self._changed:
                self._lost += 1
            if parcel.keys and self.outbox is not None:
                self._notices.say(
                    logging.WARNING,
                    "left",
                    "a purge (%s) is left in the outbox, and is tried again from there later: %s",
                    *(_named(parcel.purge), why),
                )
            else:
                self._notices.say(
                    logging.ERROR,
                    "lost",
                    "a purge (%s) is lost; its pages stay as they are until their time is over. "
                    "Once larder answers, `larder purge --all --soft` makes up for it; an outbox "
                    "would keep it. Why: %s",
                    *(_named(parcel.purge), why),
                )

    def _done(self, parcel: Parcel) -> None:
        if self.outbox is None or not parcel.keys:
            return
        try:
            with self.calling:
                self.outbox.done(parcel.keys)
        except Exception as error:
            self._poll_at = time.monotonic() + self.POLL
            self._notices.say(
                logging.ERROR,
                "outbox",
                "rows of the outbox that are delivered can't be marked (%s: %s), and are delivered "
                "again later: see to its table",
                *(type(error).__name__, error),
            )


def _joined(batches: list[Purge]) -> Purge:
    joined = batches[0]
    for batch in batches[1:]:
        joined |= batch
    return joined


def _named(purge: Purge) -> str:
    document = {name: texts for name, texts in purge.to_json().items() if isinstance(texts, list)}
    first = [f"{name} {text!r}" for name, texts in document.items() for text in texts[:3]]
    return ", ".join(first[:3]) + (", ..." if len(purge) > 3 else "") if first else "everything"


_QUEUE_FULL = "more selectors wait than the queue takes: is larder down?"
