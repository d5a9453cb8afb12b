"""An admin port that answers as a test says."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen


class Admin:
    """Answers everything as `says` has it, meanwhile; `asked` is what it was asked."""

    def __init__(self, status: int, body: bytes, *, hangs: bool = False) -> None:
        #: Status, body, and whether it hangs before it answers.
        self.says = (status, body, hangs)
        #: If set, the admin port that answers instead.
        self.forward: str | None = None
        self.asked: list[tuple[str, str, bytes]] = []
        self._let_go = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                sent = self.rfile.read(length)
                outer.asked.append((self.command, self.path, sent))
                status, body, hangs = outer.says
                if outer.forward is not None:
                    request = Request(outer.forward + self.path, sent, method=self.command)
                    with urlopen(request) as answer:
                        status, body = answer.status, answer.read()
                if hangs:
                    outer._let_go.wait(30)
                with contextlib.suppress(OSError):  # Who waited may have gone.
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Admin":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
