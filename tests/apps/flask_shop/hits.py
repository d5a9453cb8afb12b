"""Counts what the shop computes, in the database, so that all workers share one count.

A GET counts under its path, and with a query under `path?query` too. Any other method, and
an answer of 304, counts apart: `POST:/login`, `304:/dynamic-content`, `PURGE:/products/1`.
`/_hits?path=...` reads one count; `X-Computed` on each answer carries its own.
"""

from flask import Blueprint, Response, request

from . import db

bp = Blueprint("hits", __name__)


def init_app(app):
    app.after_request(count)


@bp.get("/_hits")
def read():
    row = db.get().execute(
        "SELECT n FROM hits WHERE path = ?", (request.args.get("path", ""),)
    ).fetchone()
    response = Response(str(row["n"] if row else 0), mimetype="text/plain")
    response.cache_control.no_store = True
    return response


def count(response):
    if request.endpoint == "hits.read":
        return response
    if response.status_code == 304:
        prefix = "304:"
    elif request.method != "GET":
        prefix = f"{request.method}:"
    else:
        prefix = ""
    if request.query_string:
        add(prefix + request.path)
    n = add(prefix + request.full_path.rstrip("?"))
    if response.status_code != 304:
        response.headers["X-Computed"] = str(n)
    return response


def add(path):
    return db.get().execute(
        "INSERT INTO hits VALUES (?, 1) ON CONFLICT (path) DO UPDATE SET n = n + 1 RETURNING n",
        (path,),
    ).fetchone()["n"]
