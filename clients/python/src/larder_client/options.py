"""How the proxy is reached, and how much is sent to it."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from .errors import ConfigurationError


@dataclass(frozen=True)
class Options:
    """The settings. Raises ConfigurationError, which names the field that is wrong."""

    #: Where the proxy's admin port is: `http://` or `https://`, host and port.
    url: str = "http://127.0.0.1:6082"
    #: One of its tokens that may purge; None if only this machine may.
    token: str | None = field(default=None, repr=False)
    #: How long a call may take, in seconds, with everything: a hard bound.
    timeout: float = 2.0
    #: False: nothing is sent.
    enabled: bool = True
    #: Whether automatic purges are soft: pages go stale, and are served while they are made anew.
    soft: bool = False
    #: How often the background tries to deliver a purge before it gives up.
    attempts: int = 8
    #: How many selectors may wait for that at most.
    queue: int = 10_000
    #: How many tags a page may bear before those of single rows become those of their model.
    max_tags: int = 64
    #: Whether tags are hashed on the wire, to 11 characters.
    hash_tags: bool = False
    #: Whether pages bear their tags as `Cache-Groups` too, for browsers and other caches
    #: that know RFC 9875. Visitors see them then: always as hashes.
    groups: bool = False

    def __post_init__(self) -> None:
        try:
            for name, check in _CHECKS.items():
                check(getattr(self, name))
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}") from None

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, object], where: str, also: Collection[str] = ()
    ) -> Options:
        """Reads upper-case keys: `URL`, `TOKEN`, `TIMEOUT`, ...

        `where` is what messages call the mapping, as `settings.LARDER`; `also` are keys that
        somebody else reads. Without `TOKEN`, the token is that of the environment's
        LARDER_TOKEN. Raises ConfigurationError for a key that is unknown or wrong.
        """
        if not isinstance(mapping, Mapping):
            raise ConfigurationError(f"{where} is to be a dict, not {mapping!r:.80}")
        known = {one.name.upper(): one.name for one in fields(cls)}
        given: dict[str, object] = {}
        for key, value in mapping.items():
            if key in known:
                given[known[key]] = value
            elif key not in also:
                raise ConfigurationError(_unknown(key, where, [*known, *also]))
        if not given.get("token"):
            given["token"] = None
            if "TOKEN" not in mapping:
                given["token"] = os.environ.get("LARDER_TOKEN") or None
        try:
            return cls(**given)  # type: ignore[arg-type]  # they are checked there
        except ConfigurationError as error:
            name, _, why = str(error).partition(": ")
            raise ConfigurationError(f"{where}[{name.upper()!r}]: {why}") from None


def _unknown(key: object, where: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(str(key).upper(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known))}"
    return f"{where} has no key {key!r}; {hint}"


def _url(value: object) -> None:
    example = 'write the admin port\'s address, as "http://127.0.0.1:6082"'
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string; {example}")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"{value!r} has characters that no URL has; {example}")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{value!r}: {error}; {example}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} does not begin with http:// or https:// and a host; {example}")
    if port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"{value!r} has more than a scheme, a host and a port; {example}")
    if parts.username is not None:
        raise ValueError("a user name does not belong there; the token is a setting of its own")


def _token(value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise ValueError(f"it is to be a string, not of type {type(value).__name__}")
    if not value or not all("!" <= character <= "~" for character in value):
        raise ValueError("a token is visible ASCII without spaces, and not empty")


def _boolean(value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither True nor False")


def _timeout(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is not a number of seconds")
    if not (math.isfinite(value) and 0 < value <= 600):
        raise ValueError(f"{value!r} is not within 0 and 600 seconds")


def _whole(least: int, most: int) -> Callable[[object], None]:
    def check(value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{value!r} is not a whole number")
        if not least <= value <= most:
            raise ValueError(f"{value!r} is not within {least:,} and {most:,}")

    return check


_CHECKS: dict[str, Callable[[object], None]] = {
    "url": _url,
    "token": _token,
    "timeout": _timeout,
    "enabled": _boolean,
    "soft": _boolean,
    "attempts": _whole(1, 1_000),
    "queue": _whole(1, 10_000_000),
    "max_tags": _whole(1, 10_000),
    "hash_tags": _boolean,
    "groups": _boolean,
}
