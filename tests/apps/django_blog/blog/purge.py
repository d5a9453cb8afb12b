"""Tells the cache what has changed. A cache that is away is logged, never the visitor's trouble."""

import json
import logging
from http.client import HTTPException
from urllib.parse import urljoin
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings

TIMEOUT = 2  # seconds
opener = build_opener(ProxyHandler({}))  # straight there, whatever http_proxy says
logger = logging.getLogger(__name__)


def purge(tags, paths):
    """One request with all tags, and with the paths' URLs where the site's own is known."""
    if not settings.LARDER_ADMIN:
        return
    wanted = {"tags": tags}
    if settings.BLOG_URL:
        wanted["urls"] = [urljoin(settings.BLOG_URL, path) for path in paths]
    request = Request(
        f"{settings.LARDER_ADMIN}/v1/purge",
        data=json.dumps(wanted).encode(),
        headers={"Content-Type": "application/json"},
    )
    if settings.LARDER_TOKEN:
        request.add_header("Authorization", f"Bearer {settings.LARDER_TOKEN}")
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            answer.read()
    except (OSError, HTTPException) as error:
        logger.error("purge of %s failed: %s", wanted, error)
