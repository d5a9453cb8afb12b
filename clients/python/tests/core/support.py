"""A server that misbehaves as it is told to, and a site with tags."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote

from larder_client import CacheControl, Options, collecting, emit, invalidation, record

Handler = Callable[[socket.socket, int], None]


class Scripted:
    """Listens on a free port, and has each connection handled by a thread: `handler(its socket,
    how many came before)`."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        #: The documents that came, in their order.
        self.documents: list[dict[str, Any]] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self._open.append(connection)
                before, self.connections = self.connections, self.connections + 1
                threading.Thread(
                    target=self._handle, args=(connection, before), daemon=True
                ).start()

    def _handle(self, connection: socket.socket, before: int) -> None:
        with contextlib.suppress(OSError), connection:
            self._handler(connection, before)

    def read(self, connection: socket.socket) -> dict[str, Any] | None:
        """Reads a request; its document, or None once the connection is closed."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = [
            line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        left = int(length[0].split(b":")[1]) if length else 0
        while len(body) < left:
            body += connection.recv(65536)
        document: dict[str, Any] = json.loads(body) if body else {}
        self.documents.append(document)
        return document

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def answer(document: object, status: str = "200 OK", more: str = "") -> bytes:
    """An answer with a document."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def purged(document: dict[str, Any]) -> bytes:
    """What larder answers to a purge that met nothing."""
    said: dict[str, Any] = {"number": 1, "purged": 0, "soft": bool(document.get("soft"))}
    for name in ("tags", "urls", "paths", "prefixes", "hosts"):
        if name in document:
            said[name] = [{"purged": 0} for _ in document[name]]
    return answer(said)


def site(options: Options) -> Callable[..., list[bytes]]:
    """GET /?tag=a&tag=b: a page with these tags. POST /?tag=a: a redirect that outdates them."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        tags = parse_qs(environ["QUERY_STRING"]).get("tag", [])
        if environ["REQUEST_METHOD"] == "POST":
            start_response("303 See Other", [("Location", "/else"), *invalidation(tags, options)])
            return [b""]
        with collecting(options) as collected:
            record(*tags)
        fields = dict(CacheControl(ttl=60).fields()) | dict(emit(collected))
        start_response("200 OK", list(fields.items()))
        return [b"page"]

    return application


def page(*tags: str, number: int = 0) -> str:
    """The path of a page of `site` with these tags."""
    query = "&".join(f"tag={quote(tag, safe='')}" for tag in tags)
    return f"/{number or ''}?{query}"
