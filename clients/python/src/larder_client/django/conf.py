"""`settings.LARDER`: read when it is first needed, and again when a test changes it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from larder_client import Client, ConfigurationError, Options, Sender
from larder_client.notices import Notices

if TYPE_CHECKING:
    from larder_client import Outbox

logger = logging.getLogger("larder_client")

#: For what would else be said with every request: at most once a second.
notices = Notices(logger)

#: Keys of `settings.LARDER` that only Django has.
DJANGO_KEYS = ("FORMS", "IGNORE_MODELS", "OUTBOX", "SITE")


@dataclass(frozen=True)
class Larder:
    """All of `settings.LARDER`."""

    #: How the proxy is reached.
    proxy: Options = field(default_factory=Options)
    #: Whether `{% larder_csrf %}` and `{% larder_nonce %}` may leave placeholders to larder.
    forms: bool = False
    #: Whether purges are written to a table within the transaction, so that none is lost.
    outbox: bool = False
    #: How visitors reach the site through larder, such as `https://www.example.org`.
    site: str | None = None
    #: What is wrong with the settings. Nothing is sent and nothing is kept then.
    problem: str | None = None


def read(mapping: object) -> Larder:
    """The settings of a `LARDER` mapping.

    Raises ConfigurationError, which names the key that is unknown or wrong.
    """
    where = "settings.LARDER"
    if not isinstance(mapping, Mapping):
        example = '{"URL": "http://127.0.0.1:6082"}'
        raise ConfigurationError(f"{where} is to be a dict such as {example}, not {mapping!r:.80}")
    proxy = Options.from_mapping(
        {key: value for key, value in mapping.items() if key not in DJANGO_KEYS}, where, DJANGO_KEYS
    )
    for key in ("FORMS", "OUTBOX"):
        if not isinstance(mapping.get(key, False), bool):
            raise ConfigurationError(
                f"{where}[{key!r}]: {mapping[key]!r} is neither True nor False"
            )
    ignored = mapping.get("IGNORE_MODELS", ())
    if not isinstance(ignored, (list, tuple, set, frozenset)):
        example = '["auth", "shop.Visit"]'
        raise ConfigurationError(
            f"{where}['IGNORE_MODELS']: {ignored!r:.80} is no list such as {example}"
        )
    return Larder(
        proxy=proxy,
        forms=mapping.get("FORMS", False),
        outbox=mapping.get("OUTBOX", False),
        site=_site(mapping.get("SITE"), where),
    )


def _site(value: object, where: str) -> str | None:
    if value is None:
        return None
    example = 'write how visitors reach the site, as "https://www.example.org"'
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme in ("http", "https") and parts.netloc and not parts.path.strip("/"):
            return value.rstrip("/")
    raise ConfigurationError(f"{where}['SITE']: {value!r} is no scheme and host; {example}")


class _State:
    """What was made from the settings; all of it is dropped when they change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.larder: Larder | None = None
        self.client: Client | None = None
        self.sender: Sender | None = None
        #: The process whose sender looks after the outbox.
        self.watching: int | None = None
        #: What a test has put in place of the sender and its client.
        self.stand_in: Sender | None = None


_state = _State()


def larder() -> Larder:
    """The settings. Never raises: what can't be used is logged once and switches larder off."""
    if _state.larder is None:
        with _state.lock:
            try:
                _state.larder = read(getattr(settings, "LARDER", {}))
            except ConfigurationError as error:
                logger.error(
                    "larder is off, and no page is cached by it until this is mended: %s", error
                )
                _state.larder = Larder(Options(enabled=False), problem=str(error))
    return _state.larder


def client() -> Client:
    """The client that talks with the proxy; commands call it, requests don't."""
    if _state.stand_in is not None:
        return _state.stand_in.client
    if _state.client is None:
        with _state.lock:
            _state.client = _state.client or Client(larder().proxy)
    return _state.client


def sender() -> Sender:
    """What takes purges from requests: it returns at once and raises nothing."""
    if _state.stand_in is not None:
        return _state.stand_in
    if _state.sender is None:
        with _state.lock:
            _state.sender = _state.sender or Sender(client(), _outbox())
    return _state.sender


def _outbox() -> Outbox | None:
    if not larder().outbox:
        return None
    from .orm.outbox import Outbox as Table

    return Table()


def watch_outbox() -> None:
    """Has this process deliver what others have left in the outbox, if there is one.

    Called with each request: after a fork the child begins anew.
    """
    if _state.watching != os.getpid():
        _state.watching = os.getpid()
        if larder().outbox and larder().proxy.enabled:
            sender().start()


@contextmanager
def stand_in(recorder: Sender) -> Iterator[None]:
    """Has purges go to a test's recorder for a while, those of commands too."""
    before, _state.stand_in = _state.stand_in, recorder
    try:
        yield
    finally:
        _state.stand_in = before


def reset() -> None:
    """Forgets what was made from the settings; a sender ends with what it still has."""
    with _state.lock:
        old, _state.sender, _state.client, _state.larder = _state.sender, None, None, None
        _state.watching = None
    if old is not None:
        old.close(timeout=0)


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "LARDER":
        reset()


setting_changed.connect(_changed, dispatch_uid="larder_client.conf")
