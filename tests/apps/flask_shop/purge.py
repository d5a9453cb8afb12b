"""Tells the cache what has changed. A cache that is away is logged, never the visitor's trouble."""

import http.client
import json
from urllib.request import ProxyHandler, Request, build_opener

from flask import current_app

TIMEOUT = 2  # seconds
opener = build_opener(ProxyHandler({}))  # straight there, whatever http_proxy says


def headers():
    token = current_app.config["LARDER_TOKEN"]
    return {"Authorization": f"Bearer {token}"} if token else {}


def tags(*names):
    """By tag: one JSON request to the cache's admin port."""
    admin = current_app.config["LARDER_ADMIN"]
    if not admin:
        return
    request = Request(
        f"{admin}/v1/purge",
        data=json.dumps({"tags": names}).encode(),
        headers={"Content-Type": "application/json", **headers()},
    )
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            answer.read()
    except (OSError, http.client.HTTPException) as error:
        current_app.logger.error("purge of tags %s failed: %s", names, error)


def url(host, path):
    """By URL: the PURGE method on the cache's own port, in the site's name."""
    proxy = current_app.config["LARDER_PROXY"]
    if not proxy:
        return
    connection = http.client.HTTPConnection(proxy, timeout=TIMEOUT)
    try:
        connection.request("PURGE", path, headers={"Host": host, **headers()})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            current_app.logger.error("PURGE %s%s answered %s", host, path, answer.status)
    except (OSError, http.client.HTTPException) as error:
        current_app.logger.error("PURGE %s%s failed: %s", host, path, error)
    finally:
        connection.close()
