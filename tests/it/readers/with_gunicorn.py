"""How gunicorn reads, and what it tells a WSGI application: a line of hexadecimal
digits in, the bytes of one connection; a line of JSON out, the requests that came
whole, and why there were no more."""

import json
import sys

from environ import fields
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser

PIECE = 97
CONFIG = Config()
# A target may be longer with larder than with gunicorn, which refuses it then.
CONFIG.set("limit_request_line", 8190)


def read(data):
    pieces = (data[at:at + PIECE] for at in range(0, len(data), PIECE))
    here = ("127.0.0.1", 1)
    requests = []
    try:
        for request in RequestParser(CONFIG, pieces, here):
            _, environ = wsgi.create(request, None, here, here, CONFIG)
            body = environ["wsgi.input"].read()
            if len(body) < int(environ.get("CONTENT_LENGTH", 0)):
                return requests, "the body is too short"
            requests.append({
                "method": environ["REQUEST_METHOD"],
                "target": environ["RAW_URI"],
                "fields": list(fields(environ)),
                "body": body.hex(),
            })
    except Exception as error:  # All that gunicorn answers with 400, and whatever else.
        return requests, f"{type(error).__name__}: {error}"
    return requests, None


for line in sys.stdin:
    requests, refused = read(bytes.fromhex(line.split()[0]))
    print(json.dumps({"requests": requests, "refused": refused}), flush=True)
