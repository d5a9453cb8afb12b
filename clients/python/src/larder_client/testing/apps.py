"""The application under test, running somewhere that larder can reach."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ..errors import LarderError
from .waiting import wait_until

#: An address, a command (with `{port}` where it is to listen), or a WSGI or ASGI application.
App = str | Sequence[str] | Callable[..., Any]


@contextlib.contextmanager
def running(app: App) -> Iterator[str]:
    """Runs it meanwhile, and gives its address as larder's `origin.to` has it."""
    if isinstance(app, str):
        yield app
    elif callable(app):
        with (_asgi if _is_asgi(app) else _wsgi)(app) as address:
            yield address
    else:
        with _command(app) as address:
            yield address


def _is_asgi(app: Callable[..., Any]) -> bool:
    by_itself = inspect.iscoroutinefunction(app)
    return by_itself or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # A request that a test has left alone does not hold up its end.
    block_on_close = False
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def _wsgi(app: Callable[..., Any]) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, _Server, _Quiet) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.02,), name="larder-test-app", daemon=True
        )
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def _asgi(app: Callable[..., Any]) -> Iterator[str]:
    try:
        import uvicorn
    except ImportError:
        raise LarderError(
            "an ASGI application runs by uvicorn here: pip install 'larder-client[test]'"
        ) from None
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", lifespan="auto")
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, args=([listening],), name="larder-test-app", daemon=True
        )
        thread.start()
        try:
            wait_until("uvicorn has started", lambda: server.started or not thread.is_alive())
            if not server.started:
                raise LarderError("the application did not start under uvicorn: see its log")
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextlib.contextmanager
def _command(words: Sequence[str]) -> Iterator[str]:
    port = _free_port()
    command = [word.replace("{port}", str(port)) for word in words]
    if command == list(words):
        raise LarderError(f"{list(words)}: '{{port}}' has to stand where it is to listen")
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )

        def said() -> str:
            output.seek(0)
            return output.read().decode(errors="replace")

        def listens() -> bool:
            if process.poll() is not None:
                raise LarderError(f"{command} ended with {process.returncode}:\n{said()}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            return False

        try:
            wait_until(f"{command} listens", listens, said)
            yield f"127.0.0.1:{port}"
        finally:
            _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return cast(int, probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends it with all that it has started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
