"""How the server that is named as argument reads, and what it tells an application: a line of
hexadecimal digits in, the bytes of one connection, and how it ends; a line of JSON out, the
requests that the application was told, and what was answered without asking it. What it is told
it appends to the file that `TOLD` names, from whichever process.

`closes`: the server is to close it. `answered`: once, and it may stay open. `breaks`: there is
no more."""

import asyncio
import json
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

from environ import fields

ROOM = 1 << 17
LAST = b"GET /the-last HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"
# The mark of what the application has answered.
MARK = "X-Read"


def note(method, target, fields, body):
    request = {"method": method, "target": target, "fields": fields, "body": body.hex()}
    with open(os.environ["TOLD"], "a") as told:
        told.write(json.dumps(request) + "\n")


def content(environ):
    if "uwsgi.version" in environ and "HTTP_TRANSFER_ENCODING" in environ:
        # Chunks it gives to those alone who ask for them.
        import uwsgi

        return b"".join(iter(uwsgi.chunked_read, b""))
    return environ["wsgi.input"].read()


def wsgi(environ, start_response):
    note(environ["REQUEST_METHOD"], environ["REQUEST_URI"], list(fields(environ)), content(environ))
    start_response("200 OK", [(MARK, "1"), ("Content-Length", "0")])
    return [b""]


async def asgi(scope, receive, send):
    kind = scope["type"]
    if kind == "lifespan":
        return
    body, goes_on = b"", kind == "http"
    while goes_on:
        event = await receive()
        if event["type"] == "http.disconnect":
            return  # It broke off.
        body += event["body"]
        goes_on = event["more_body"]
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    note(scope.get("method", "GET"), target.decode("latin-1"), given, body)
    # No WebSocket is opened.
    about = "http" if kind == "http" else "websocket.http"
    answer = [(MARK.encode(), b"1"), (b"content-length", b"0")]
    await send({"type": f"{about}.response.start", "status": 200 if kind == "http" else 403, "headers": answer})
    await send({"type": f"{about}.response.body", "body": b""})


def waitress(listening):
    import waitress

    waitress.serve(
        wsgi,
        sockets=[listening],
        # One at a time, in the order in which they came.
        threads=1,
        clear_untrusted_proxy_headers=False,
        _quiet=True,
    )


def uvicorn(http):
    def serve(listening):
        import uvicorn

        config = uvicorn.Config(
            asgi,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            h11_max_incomplete_event_size=ROOM,
        )
        uvicorn.Server(config).run(sockets=[listening])

    return serve


def hypercorn(listening):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.h11_max_incomplete_size = ROOM
    config.errorlog = None
    asyncio.run(serve(asgi, config, shutdown_trigger=asyncio.Event().wait))


def uwsgi(listening):
    # It ends with this process, however that does.
    command = ["setpriv", "--pdeathsig", "KILL", "uwsgi", "--plugin", "python3", "--wsgi-file", __file__]
    command += ["--pythonpath", os.path.dirname(__file__), "--callable", "wsgi", "--http11-socket", f"fd://{listening.fileno()}"]
    # A target may be longer with larder, and so may a head.
    command += ["--buffer-size", "65535", "--disable-logging"]
    with subprocess.Popen(command, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL):
        pass


SERVERS = {
    "waitress": waitress,
    "uvicorn-h11": uvicorn("h11"),
    "uvicorn-httptools": uvicorn("httptools"),
    "hypercorn": hypercorn,
    "uwsgi": uwsgi,
}


def exchanged(address, data, end):
    """What is answered to these bytes on a connection."""
    answers = b""
    with socket.create_connection(address) as client:
        try:
            client.sendall(data)
            if end == "breaks":
                client.shutdown(socket.SHUT_WR)
            while piece := client.recv(ROOM):
                answers += piece
                if end == "answered" and b"\r\n\r\n" in answers:
                    break
        except ConnectionError:
            pass  # Who is refused early may find it closed while still sending.
    return answers.decode("latin-1")


def read(address, told, data, end):
    told.write_text("")
    answers = re.split(r"HTTP/1\.[01] ", exchanged(address, data, end))[1:]
    if end == "breaks":
        # What the application is told all the same, it is told before another one's request.
        exchanged(address, LAST, "answered")
    requests = [json.loads(line) for line in told.read_text().splitlines()]
    if end == "breaks":
        last = requests.pop()
        assert last["target"] == "/the-last", last
    refused = [answer.splitlines()[0] for answer in answers if MARK.lower() not in answer.lower()]
    return {"requests": requests, "refused": refused[0] if refused else None}


def main():
    logging.disable()
    listening = socket.create_server(("127.0.0.1", 0))
    address = listening.getsockname()
    with tempfile.TemporaryDirectory() as folder:
        told = pathlib.Path(folder) / "told"
        os.environ["TOLD"] = str(told)
        threading.Thread(target=SERVERS[sys.argv[1]], args=(listening,), daemon=True).start()
        for line in sys.stdin:
            digits, end = line.split()
            print(json.dumps(read(address, told, bytes.fromhex(digits), end)), flush=True)


if __name__ == "__main__":
    main()
