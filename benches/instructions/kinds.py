"""The kinds of request that are counted, and the origin that stands behind."""

import email.utils
import re
import socket
import threading
from dataclasses import dataclass

# What a browser's request bears at least.
FIELDS = (
    "Host: site.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n"
)
ETAG = '"1a2b3c"'
BODY = b"x" * 1024


@dataclass
class Kind:
    """What is asked, and what the answer has to say for it to be of this kind."""

    path: str
    fields: str = ""
    status: int = 200
    outcome: str = "hit"
    # Hits that were answered before hyper; None if none may be.
    short: bool = False

    def request(self, number):
        path = self.path.format(number)
        return f"GET {path} HTTP/1.1\r\n{FIELDS}{self.fields}\r\n".encode()


KINDS = {
    "hit": Kind("/stored", short=True),
    "not-modified": Kind("/stored", f"If-None-Match: {ETAG}\r\n", status=304, short=True),
    # A field that the short way doesn't know.
    "hit-the-whole-way": Kind("/stored", "X-Unknown: 1\r\n"),
    "pass": Kind("/passed", outcome="fwd="),
    "miss": Kind("/stored/{}", outcome="fwd=uri-miss; stored"),
}


class Asker:
    """One connection; one request after the other."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request):
        """The status and the head of the answer."""
        self.socket.sendall(request)
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += self.some()
        head, _, body = heard.partition(b"\r\n\r\n")
        status, head = int(head.split(b" ", 2)[1]), head.decode().lower()
        length = re.search(r"\r\ncontent-length: (\d+)", head)
        left = int(length.group(1)) if length and status != 304 else 0
        while len(body) < left:
            body += self.some()
        return status, head, body

    def some(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("larder has closed the connection")
        return data


class Origin:
    """Answers 1 KiB; what is below /stored may be kept for an hour."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            stream, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=[stream], daemon=True).start()

    def serve(self, stream):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = b""
        while data := stream.recv(65536):
            heard += data
            while b"\r\n\r\n" in heard:
                request, _, heard = heard.partition(b"\r\n\r\n")
                stream.sendall(answer(request))


def answer(request):
    control = "max-age=3600" if request.startswith(b"GET /stored") else "no-store"
    head = (
        f"HTTP/1.1 200 OK\r\nDate: {email.utils.formatdate(usegmt=True)}\r\nServer: origin\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(BODY)}\r\n"
        f"Cache-Control: {control}\r\nETag: {ETAG}\r\n\r\n"
    )
    return head.encode() + BODY
