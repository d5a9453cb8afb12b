"""Clients that cost little: connected beforehand, one epoll for all."""

import select
import socket
import time
from dataclasses import dataclass


@dataclass
class Answer:
    """Times are seconds from when its request was sent."""

    status: int
    head: bytes
    first: float
    whole: float


class Client:
    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.first = self.answer = None
        self.heard, self.left = b"", None

    def send(self, path, method="GET"):
        body = "Content-Length: 4\r\n\r\nbody" if method == "POST" else "\r\n"
        self.heard, self.left, self.first, self.answer = b"", None, None, None
        self.began = time.perf_counter()
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: site.test\r\n{body}".encode())

    def read(self):
        """Takes what is there; the answer, once it is whole."""
        data = self.socket.recv(262144)
        now = time.perf_counter() - self.began
        if not data:
            return self.end(0, now)
        if self.left is None:
            self.heard += data
            head, found, data = self.heard.partition(b"\r\n\r\n")
            if not found:
                return None
            self.heard = head
            self.left = length(head)
        if data and self.first is None:
            self.first = now
        self.left -= len(data)
        return self.end(int(self.heard.split(b" ", 2)[1]), now) if self.left <= 0 else None

    def end(self, status, now):
        self.answer = Answer(status, self.heard, self.first or now, now)
        return self.answer


def length(head):
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 1 << 62


def connect(port, many):
    return [Client(port) for _ in range(many)]


def close(clients):
    for client in clients:
        client.socket.close()


def crowd(clients, path, within=60.0, each=None):
    """All ask at once. `each` gives every client a (method, path) of its own.
    An answer that is not whole in time is `None`."""
    with select.epoll() as epoll:
        waiting = {}
        for number, client in enumerate(clients):
            epoll.register(client.socket.fileno(), select.EPOLLIN)
            waiting[client.socket.fileno()] = client
        for number, client in enumerate(clients):
            method, own = each[number] if each else ("GET", path)
            client.send(own, method)
        until = time.perf_counter() + within
        while waiting and time.perf_counter() < until:
            for descriptor, _ in epoll.poll(0.1, 1024):
                try:
                    done = waiting[descriptor].read()
                except ConnectionError:
                    client = waiting[descriptor]
                    done = client.end(0, time.perf_counter() - client.began)
                if done:
                    epoll.unregister(descriptor)
                    del waiting[descriptor]
    return [client.answer for client in clients]


def ask(port, path, method="GET"):
    """One client, one answer; and it has to be good."""
    client = Client(port)
    (answer,) = crowd([client], path, each=[(method, path)])
    client.socket.close()
    if answer is None or answer.status != 200:
        raise RuntimeError(f"{path}: {answer}")
    return answer


def raw(port, path):
    """An answer as it comes over the wire: head with its blank line, and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as stream:
        stream.sendall(f"GET {path} HTTP/1.1\r\nHost: site.test\r\n\r\n".encode())
        heard = b""
        while b"\r\n\r\n" not in heard or len(heard.split(b"\r\n\r\n", 1)[1]) < length(heard):
            data = stream.recv(65536)
            if not data:
                raise ConnectionError(f"{path}: the connection ended after {heard[:200]}")
            heard += data
    head, _, body = heard.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def tell(port, path):
    """The figure that the origin answers."""
    return float(raw(port, path)[1])
