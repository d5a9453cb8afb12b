"""Asking a site for pages through larder, as commands of the frameworks do."""

from __future__ import annotations

import gzip
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

#: How long one page may take, in seconds.
TIMEOUT = 30.0
#: The most URLs that are taken from sitemaps, and the most files of one.
MOST_URLS = 50_000
MOST_SITEMAPS = 100
#: The most bytes of a body that are read.
MOST_BYTES = 64 << 20

_STATUS = re.compile(r"\blarder\s*;\s*(?P<said>[^,]*)")


#: What the doctors say where a site has no page that they could find.
NO_PAGE = "no page found to look at: name some"


class CannotAsk(Exception):
    """A page could not be had; the message says what to do."""


@dataclass(frozen=True)
class Page:
    """What was answered for one URL."""

    url: str
    status: int
    fields: list[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)

    def all_of(self, name: str) -> list[str]:
        """The lines of a field."""
        return [value for given, value in self.fields if given.lower() == name.lower()]

    @property
    def cache(self) -> str | None:
        """What larder did, as it says in `Cache-Status`; None if it has not seen the request."""
        found = _STATUS.search(", ".join(self.all_of("Cache-Status")))
        return found["said"].strip() if found else None

    @property
    def reason(self) -> str | None:
        """Why it was not stored (`detail` of `Cache-Status`), if that is said."""
        found = re.search(r"\bdetail=([\w-]+)", self.cache or "")
        return found[1] if found else None


def ask(url: str, via: str | None = None, timeout: float = TIMEOUT) -> Page:
    """Asks for a page: where its URL says, or at larder's address `via` ("127.0.0.1:6081").

    Raises CannotAsk if the URL makes no sense or nobody answers.
    """
    # As browsers send what people write; what is encoded stays.
    parts = urlsplit(quote(url, safe="%/:=&?~#+!$,;'@()*[]"))
    via = via and via.removeprefix("http://").rstrip("/")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotAsk(f"{url!r} is no URL of a page: write it whole, as https://www.example.org/")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "larder-client"}
    try:
        if via is not None:
            connection = HTTPConnection(via, timeout=timeout)
            # Believed where trust.proxies of larder names this machine.
            fields["X-Forwarded-Proto"] = parts.scheme
        elif parts.scheme == "https":
            connection = HTTPSConnection(
                parts.netloc, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            connection = HTTPConnection(parts.netloc, timeout=timeout)
        try:
            connection.request("GET", path, headers=fields)
            answer = connection.getresponse()
            return Page(url, answer.status, answer.getheaders(), answer.read(MOST_BYTES))
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError) as error:
        where = via or parts.netloc
        raise CannotAsk(
            f"{where} does not answer for {url}: {error}. Is larder running there?"
        ) from None


def whole(url: str, site: str | None, setting: str) -> str:
    """A URL, or a path of the site, made whole.

    Raises CannotAsk for a path without a site; `setting` is where that would be set.
    """
    if not url.startswith("/"):
        return url
    if site is None:
        raise CannotAsk(
            f"{url} is a path: write the whole URL, or set {setting} to how visitors reach the "
            "site through larder, as http://127.0.0.1:6081."
        )
    return site + url


def sitemap(url: str, via: str | None = None) -> Iterator[str]:
    """The pages of a sitemap, and of those that it is an index of; gzip too.

    Raises CannotAsk if one is not there or is none.
    """
    waiting, seen, given = [url], {url}, 0
    while waiting:
        page = ask(waiting.pop(0), via)
        if page.status != 200:
            raise CannotAsk(f"{page.url} is no sitemap: it was answered with {page.status}")
        root = _xml(page)
        for place in root.iter():
            if _name(place) != "loc" or not (place.text or "").strip():
                continue
            found = urljoin(page.url, (place.text or "").strip())
            if _name(root) != "sitemapindex":
                yield found
                given += 1
                if given == MOST_URLS:
                    return
            elif found not in seen and len(seen) < MOST_SITEMAPS:
                seen.add(found)
                waiting.append(found)


def _xml(page: Page) -> ElementTree.Element:
    try:
        body = gzip.decompress(page.body) if page.body[:2] == b"\x1f\x8b" else page.body
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
            raise CannotAsk(f"{page.url} is no sitemap: it has a document type")
        root = ElementTree.fromstring(body)  # noqa: S314  # no entities: see above
    except (ElementTree.ParseError, EOFError, OSError) as error:
        raise CannotAsk(f"{page.url} is no sitemap: {error}") from None
    if _name(root) not in ("urlset", "sitemapindex"):
        raise CannotAsk(f"{page.url} is no sitemap: it begins with <{_name(root)}>")
    return root


def _name(element: ElementTree.Element) -> str:
    # Without the namespace; comments have no name.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
