"""One connection to the admin port, each call of which ends by its deadline.

The time-outs of `http.client` are for single reads: an answer that comes byte by byte would hold
a caller for as long as it likes. Here each wait is given what is left of the whole call's time.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: The largest answer that is read, in bytes.
LARGEST_ANSWER = 16 << 20


class Late(TimeoutError):
    """The call's time is over."""


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    body: bytes


class Deadline:
    """When a call has to be over, by the clock that nobody turns."""

    def __init__(self, timeout: float) -> None:
        self._at = time.monotonic() + timeout

    def left(self) -> float:
        """Seconds that are left, more than 0. Raises Late."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise Late
        return left


class Connection:
    """Kept alive between calls; of one thread and process."""

    def __init__(self, url: str) -> None:
        self._http: http.client.HTTPConnection | None = None
        parts = urlsplit(url)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._sock: _Timed
        #: The process that opened it: a child has to open its own.
        self.pid = os.getpid()

    def call(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str],
        body: bytes | None,
        timeout: float,
    ) -> Answer:
        """Sends a request and reads the answer, within `timeout` seconds altogether.

        A kept connection that the other side has closed is opened once more: every request of
        this package may be sent twice. Raises OSError or HTTPException.
        """
        deadline = Deadline(timeout)
        reused = self._http is not None
        try:
            return self._once(method, target, fields, body, deadline)
        except (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError):
            if not reused:
                raise
            return self._once(method, target, fields, body, deadline)

    def close(self) -> None:
        """Closes it; a later call opens it again."""
        if self._http is not None:
            self._http.close()
            self._http = None
            self._sock.end()

    def __del__(self) -> None:
        self.close()

    def _once(
        self,
        method: str,
        target: str,
        fields: Mapping[str, str],
        body: bytes | None,
        deadline: Deadline,
    ) -> Answer:
        try:
            if self._http is None:
                self._http = self._open(deadline)
            self._sock.deadline = deadline
            self._http.request(method, target, body, dict(fields))
            response = self._http.getresponse()
            content = response.read(LARGEST_ANSWER + 1)
            if len(content) > LARGEST_ANSWER:
                raise http.client.HTTPException(f"the answer is longer than {LARGEST_ANSWER} bytes")
            if response.length:
                raise ConnectionResetError("the answer broke off")
            if response.will_close:
                self.close()
            return Answer(response.status, content)
        except BaseException:
            # Whatever it was, what comes next on it would be no answer to what is asked next.
            self.close()
            raise

    def _open(self, deadline: Deadline) -> http.client.HTTPConnection:
        connected = self._connect(deadline)
        if self._tls:
            connected.settimeout(deadline.left())
            context = ssl.create_default_context()
            connected = context.wrap_socket(connected, server_hostname=self._host)
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = self._sock = _Timed(connected, deadline)
        # What has been closed is not opened behind the deadline's back.
        connection.auto_open = 0
        return connection

    def _connect(self, deadline: Deadline) -> socket.socket:
        failed: OSError = OSError(f"{self._host} has no address")
        for family, kind, protocol, _, address in _resolve(self._host, self._port, deadline):
            one = socket.socket(family, kind, protocol)
            try:
                one.settimeout(deadline.left())
                one.connect(address)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                one.close()
                failed = error
                continue
            return one
        raise failed


class _Timed:
    """A socket as `http.client` uses it, each wait of which ends with the call's time."""

    def __init__(self, inner: socket.socket, deadline: Deadline) -> None:
        self._inner = inner
        self.deadline = deadline

    def sendall(self, data: bytes) -> None:
        # The time-out of `sendall` is for all of it.
        self._inner.settimeout(self.deadline.left())
        self._inner.sendall(data)

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def recv_into(self, buffer: Any) -> int:
        self._inner.settimeout(self.deadline.left())
        return self._inner.recv_into(buffer)

    def close(self) -> None:
        """Nothing: `http.client` does this once an answer is to end with its connection, before
        it has read that."""

    def end(self) -> None:
        self._inner.close()


class _Reader(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.recv_into(buffer)


_Addresses = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]


def _resolve(host: str, port: int, deadline: Deadline) -> _Addresses:
    """The addresses of a name. The system's resolver knows no time-out: a thread waits for it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found: list[_Addresses | OSError] = []

    def look() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=look, name="larder-resolve", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # The interpreter is about to end, and starts none any more.
        look()
    else:
        thread.join(deadline.left())
    if not found:
        raise Late
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
