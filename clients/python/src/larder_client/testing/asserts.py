"""What can be asserted of a page behind larder. A failure says why, by /v1/explain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import LarderError
from .proxy import Larder
from .responses import Response
from .waiting import wait_until


def assert_hit(response: Response) -> None:
    """It came from the cache."""
    if not response.is_hit:
        raise AssertionError(_but(response, "did not come from the cache"))


def assert_miss(response: Response) -> None:
    """It did not come from the cache; whether it was stored is left open."""
    if not response.cache_status:
        raise AssertionError(_but(response, "has no Cache-Status: was larder asked?"))
    if response.is_hit:
        raise AssertionError(_but(response, "came from the cache"))


@contextlib.contextmanager
def assert_purged(larder: Larder, *paths: str, within: float = 5.0) -> Iterator[None]:
    """What is done meanwhile has these pages forgotten, or made stale.

    They are asked for first, twice, and have to be cached at all. The purge may come from the
    background: it is waited for, at most `within` seconds.

        with assert_purged(proxy, "/", "/articles/1"):
            article.save()
    """
    for path in paths:
        if not larder.get(path).is_hit:
            assert_hit(larder.get(path))
    yield
    for path in paths:
        url = larder.url + path
        wait_until(
            f"{url} is purged",
            lambda url=url: not _is_fresh(larder, url),  # type: ignore[misc]
            lambda url=url: _tags(larder, url),  # type: ignore[misc]
            within,
        )


def assert_not_shared(
    larder: Larder,
    path: str,
    one: Mapping[str, str],
    other: Mapping[str, str] | None = None,
) -> None:
    """What the visitor with the cookies `one` gets is given to nobody else from the cache.

    Nobody else is a visitor with the cookies `other`, if they are given, and one without any.
    """
    first = larder.get(path, cookies=one)
    # Once more: what is stored for this visitor is there now.
    again = larder.get(path, cookies=one)
    for cookies in [*([other] if other else []), {}]:
        response = larder.get(path, cookies=cookies)
        who = "a visitor with other cookies" if cookies else "a visitor without cookies"
        if response.is_hit:
            same = response.body in (first.body, again.body)
            what = "was given the very same page" if same else "was given a page"
            raise AssertionError(_but(response, f"{who} {what} from the cache"))


def _is_fresh(larder: Larder, url: str) -> bool:
    """Whether a visitor without cookies would be given what is stored; nothing is fetched."""
    outcome = larder.client.explain(url)["outcome"]
    return isinstance(outcome, Mapping) and outcome.get("token") == "hit"


def _tags(larder: Larder, url: str) -> str:
    variants = larder.client.explain(url).get("variants")
    tags = sorted({tag for one in _list(variants) for tag in _list(one.get("tags"))})
    purges = "".join(f"\n  {purge}" for purge in larder.client.purges()[:5])
    return f"its tags: {', '.join(tags) or 'none'}\nthe last purges: {purges or 'none'}"


def _but(response: Response, what: str) -> str:
    lines = [f"{response.method} {response.url} {what}", f"  Cache-Status: {response.cache_status}"]
    try:
        lines += [f"  {line}" for line in _why(response)]
    except LarderError as error:
        lines.append(f"  (and it could not be asked why: {error})")
    return "\n".join(lines)


def _why(response: Response) -> list[str]:
    # What larder itself sends for a connection is none of the request's own.
    fields = {name: value for name, value in response.sent.items() if name.lower() != "host"}
    explained: dict[str, Any] = response.larder.client.explain(response.url, fields=fields)
    lines = [f"now it would be: {explained['outcome']['sentence']}"]
    reason = explained.get("reason")
    if reason:
        lines.append(f"why: {reason['sentence']} [{reason['clause']}]")
    lines += [f"{one['sentence']}" for one in _list(explained.get("would"))]
    if reason and reason.get("docs"):
        lines.append(f"more: {reason['docs']}")
    return lines


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
