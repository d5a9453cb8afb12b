"""What is asked of the proxy's admin port."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import threading
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from .connection import Answer, Connection
from .errors import Overloaded, Refused, Unreachable
from .options import Options
from .purge import LISTS, Purge, Purged
from .tags import wire_tag


class Client:
    """Threads may share one: each has its own connection, which is kept alive.

    Every call ends within `options.timeout` seconds, and raises a LarderError if it fails.
    """

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self._local = threading.local()

    def purge(self, purge: Purge, *, dry_run: bool = False) -> Purged:
        """Has this forgotten; of a dry run, only counts what would be.

        Once it has returned, nothing that the application made before is served as fresh. A
        purge of more than 10,000 selectors goes in several requests, each with the whole time.
        Nothing is sent for an empty one, or if `options.enabled` is False.
        """
        if not self.options.enabled:
            return Purged()
        done = (self._purge_batch(batch, dry_run) for batch in purge.batches())
        return reduce(or_, done, Purged())

    def explain(
        self,
        url: str,
        *,
        fields: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        """What a GET of this URL, with these fields and cookies, would be given, and why.

        The document of `GET /v1/explain`. The application is not asked.
        """
        asked = [("url", url)]
        given = dict(fields or {})
        if cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        asked += [("header", f"{name}: {value}") for name, value in given.items()]
        return self._document("GET", f"/v1/explain?{urlencode(asked)}")

    def stats(self) -> dict[str, object]:
        """The document of `GET /v1/stats`: what is stored, and what was done since the start."""
        return self._document("GET", "/v1/stats")

    def purges(self) -> list[dict[str, object]]:
        """The list of `GET /v1/purges`: who purged what, the newest first."""
        document = self._document("GET", "/v1/purges")
        return [one for one in document.get("purges", []) if isinstance(one, dict)]

    def ping(self) -> None:
        """Raises a LarderError unless larder is there and takes the token."""
        if "memory" not in self.stats():
            raise Overloaded(f"{self.options.url} answers, but not as larder does: {_AT}")

    async def apurge(self, purge: Purge, *, dry_run: bool = False) -> Purged:
        """`purge`, in a thread."""
        return await asyncio.to_thread(self.purge, purge, dry_run=dry_run)

    async def aexplain(
        self,
        url: str,
        *,
        fields: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        """`explain`, in a thread."""
        return await asyncio.to_thread(self.explain, url, fields=fields, cookies=cookies)

    async def astats(self) -> dict[str, object]:
        """`stats`, in a thread."""
        return await asyncio.to_thread(self.stats)

    async def aping(self) -> None:
        """`ping`, in a thread."""
        await asyncio.to_thread(self.ping)

    def close(self) -> None:
        """Closes this thread's connection; a later call opens it again."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _purge_batch(self, purge: Purge, dry_run: bool) -> Purged:
        document = purge.to_json()
        # The order in which they are sent is that of the counts.
        sent = {name: sorted(getattr(purge, name)) for name in LISTS if getattr(purge, name)}
        if "tags" in sent:
            document["tags"] = [wire_tag(tag, self.options) for tag in sent["tags"]]
        if dry_run:
            document["dry_run"] = True
        try:
            answer = self._document("POST", "/v1/purge", json.dumps(document).encode())
        except Refused as refused:
            raise Refused(str(refused), refused.status, refused.faults, sent) from None
        return _purged(answer, sent, f"{self.options.url}/v1/purge")

    def _document(self, method: str, target: str, body: bytes | None = None) -> dict[str, Any]:
        answer = self._answer(method, target, body)
        where = f"{method} {self.options.url}{target.partition('?')[0]}"
        if answer.status >= 500 or answer.status in (408, 429):
            raise Overloaded(f"{where}: {_said(answer)}", answer.status)
        if answer.status >= 400:
            raise _refused(where, answer)
        try:
            document = json.loads(answer.body) if answer.status == 200 else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Overloaded(
                f"{where}: {answer.status} without larder's document: {_AT}", answer.status
            )
        return document

    def _answer(self, method: str, target: str, body: bytes | None) -> Answer:
        options = self.options
        fields = {"Accept": "application/json", "User-Agent": "larder-client"}
        if body is not None:
            fields["Content-Type"] = "application/json"
        if options.token is not None:
            fields["Authorization"] = f"Bearer {options.token}"
        try:
            return self._connection().call(method, target, fields, body, options.timeout)
        except TimeoutError:
            raise Unreachable(
                f"larder at {options.url} took longer than {options.timeout:g} s: see that it is "
                "up and not overloaded, or raise the timeout"
            ) from None
        except OSError as error:
            raise Unreachable(
                f"larder at {options.url} can't be reached ({error.strerror or error}): see that "
                f"it runs, and that {_AT}"
            ) from None
        except http.client.HTTPException as error:
            raise Overloaded(
                f"{options.url} gave no answer of HTTP ({type(error).__name__}: {error}): {_AT}"
            ) from None

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.pid != os.getpid():
            connection = self._local.connection = Connection(self.options.url)
        return connection


_AT = "the URL has to be that of larder's admin port (admin.listen in larder.toml)"


def _problem(answer: Answer) -> dict[str, Any]:
    """What larder says is wrong (RFC 9457), if it was larder."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _said(answer: Answer) -> str:
    detail = _problem(answer).get("detail")
    return (
        f"{answer.status}, {detail[:500]}" if isinstance(detail, str) else f"status {answer.status}"
    )


_ADVICE = {
    401: "set the token to one of larder's ([admin] token, or LARDER_TOKEN in the environment)",
    403: "the token has to be one whose scope covers this ([[admin.tokens]] in larder.toml)",
    404: _AT,
    405: _AT,
}


def _refused(where: str, answer: Answer) -> Refused:
    listed = _problem(answer).get("errors")
    faults = [
        (str(fault.get("pointer", "")), str(fault.get("detail", "")))
        for fault in (listed if isinstance(listed, list) else [])
        if isinstance(fault, dict)
    ]
    advice = _ADVICE.get(answer.status)
    message = f"{where}: {_said(answer)}" + (f"; {advice}" if advice else "")
    return Refused(message, answer.status, faults)


def _purged(answer: Mapping[str, Any], sent: Mapping[str, list[str]], where: str) -> Purged:
    """Reads what was done, or would be. Raises Overloaded if it says no such thing."""
    counted = "objects" if "dry_run" in answer else "purged"
    try:
        total, soft = int(answer[counted]), bool(answer["soft"])
        counts = {name: _counts(texts, answer[name], counted) for name, texts in sent.items()}
        number = int(answer.get("number", 0))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Overloaded(f"{where}: what came is no answer of larder's: {_AT}", 200) from None
    gone, stale = (0, total) if soft else (total, 0)
    return Purged(number, gone, stale, MappingProxyType(counts))


def _counts(texts: list[str], entries: Iterable[Any], counted: str) -> Mapping[str, int]:
    numbers = [int(entry[counted]) for entry in entries]
    return MappingProxyType(dict(zip(texts, numbers, strict=True)))
