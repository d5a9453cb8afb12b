"""The backend for `wagtail.contrib.frontend_cache`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from wagtail.contrib.frontend_cache.backends.base import BaseBackend

from larder_client import Client, ConfigurationError, Options, Purge, Sender
from larder_client.wagtail.addresses import by_urls

logger = logging.getLogger("larder_client.wagtail")

#: Keys that Wagtail itself reads, beside those of the core's Options; LOCATION is its URL.
WAGTAIL_KEYS = ("LOCATION", "HOSTNAMES")


class LarderBackend(BaseBackend):
    """Purges what Wagtail, and whoever uses its `PurgeBatch`, has to be purged.

        WAGTAILFRONTENDCACHE = {
            "larder": {
                "BACKEND": "larder_client.wagtail.LarderBackend",
                "LOCATION": "http://127.0.0.1:6082",  # the admin port
                "TOKEN": "...",
            }
        }

    Takes LOCATION, HOSTNAMES (of Wagtail), and TOKEN, TIMEOUT, SOFT, ENABLED, ATTEMPTS, QUEUE of
    `larder_client.Options`. Without LOCATION it uses what `settings.LARDER` says. A URL is purged
    with any query, unless it has one. A batch is one request. It is sent in the background, and
    only when the transaction has committed; nothing raises into the editor's request.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        self.options: Options | None = None
        self.problem: str | None = None
        try:
            self.options = backend_options(params)
        except ConfigurationError as error:
            self.problem = str(error)
            logger.error("Nothing is purged until this is mended: %s", error)

    def purge(self, url: str) -> None:
        """Has one URL forgotten."""
        self.purge_batch([url])

    def purge_batch(self, urls: Iterable[str]) -> None:
        """Has all of these forgotten, in one request, once the transaction has committed."""
        whole = {url for url in map(str, urls) if _is_absolute(url)}
        if not whole or self.problem:
            return
        what = by_urls(whole)
        if self.options is None:
            from larder_client.wagtail.outlet import forget

            forget(what)
            return
        what = Purge(urls=what.urls, paths=what.paths, soft=self.options.soft)
        transaction.on_commit(partial(_sender(self.options).send, what), robust=True)


def backend_options(params: Mapping[str, Any]) -> Options | None:
    """How the proxy is reached; `None` as `settings.LARDER` says.

    Raises ConfigurationError, which names the key.
    """
    if "LOCATION" not in params:
        return None
    given = {key: value for key, value in params.items() if key not in (*WAGTAIL_KEYS, "BACKEND")}
    given["URL"] = params["LOCATION"]
    where = "WAGTAILFRONTENDCACHE[...]"
    try:
        return Options.from_mapping(given, where)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace("['URL']", "['LOCATION']")) from None


_senders: dict[Options, Sender] = {}
_lock = threading.Lock()


def _sender(options: Options) -> Sender:
    # Wagtail makes its backends anew for each purge; the thread and its connection last.
    with _lock:
        if options not in _senders:
            _senders[options] = Sender(Client(options))
        return _senders[options]


def senders() -> list[Sender]:
    """Those in use, for tests that wait until all has been sent: `sender.flush()`."""
    return list(_senders.values())


def _is_absolute(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return True
    logger.error("%r is not an absolute URL, and is not purged", url)
    return False
