"""Bytes: downloads with ranges, streams without a length, uploads."""

import hashlib

from flask import Blueprint, Response, jsonify, request, send_from_directory

bp = Blueprint("files", __name__)
CHUNK = bytes(range(256)) * 256  # 64 KiB: byte n of a stream is n % 256


@bp.get("/download/<name>")
def download(name):
    """Flask's `send_file` from a folder: ETag, Last-Modified, conditions and ranges."""
    response = send_from_directory(
        "downloads", name, as_attachment=True, conditional=True, max_age=3600
    )
    response.headers["Cache-Tag"] = "downloads"
    return response


@bp.get("/large")
def large():
    """`mib` mebibytes, made while they are sent: the length is not known beforehand."""
    chunks = request.args.get("mib", 1, type=int) * 16
    response = Response((CHUNK for _ in range(chunks)), mimetype="application/octet-stream")
    response.cache_control.max_age = 60
    return response


@bp.get("/report")
def report():
    """`kib` kibibytes for nobody else, each sent as soon as it is made."""
    response = Response(
        (CHUNK[:1024] for _ in range(request.args.get("kib", 1, type=int))), mimetype="text/csv"
    )
    response.cache_control.no_store = True
    return response


@bp.post("/upload")
def upload():
    digest, length = hashlib.sha256(), 0
    while chunk := request.stream.read(len(CHUNK)):
        digest.update(chunk)
        length += len(chunk)
    return jsonify(length=length, sha256=digest.hexdigest())
