"""Stands in for larder's admin port: keeps the purges that it is asked for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Stub:
    """The documents of `POST /v1/purge`, in the order in which they came."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    @property
    def tags(self) -> list[str]:
        """The tags of all of them."""
        return [tag for document in self.documents for tag in document.get("tags", ())]


def lists(document: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The selectors of a purge."""
    return [(name, value) for name, value in document.items() if isinstance(value, list)]


@contextmanager
def stub(port: int = 0) -> Iterator[Stub]:
    """Listens on a free port, or a given one."""
    kept = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if kept.status == 200:
                kept.documents.append(document)
            answer = {name: [{"purged": 0} for _ in texts] for name, texts in lists(document)}
            body = json.dumps({"number": 1, "purged": 0, "soft": False, **answer}).encode()
            self.send_response(kept.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> None:
    """Waits for a condition; fails when the time is over."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to be so in time"
        time.sleep(0.02)
