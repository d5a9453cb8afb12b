"""What a visitor of the proxy gets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .proxy import Larder


@dataclass(frozen=True)
class Response:
    """An answer, whole."""

    method: str
    #: The absolute URL that was asked for.
    url: str
    #: The fields that were sent.
    sent: dict[str, str]
    status: int
    #: Its fields: `headers["Vary"]`, `headers.get_all("Set-Cookie")`.
    headers: Message
    body: bytes
    #: Who was asked.
    larder: Larder = field(repr=False)

    @property
    def text(self) -> str:
        """The body, which is taken for UTF-8."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def cache_status(self) -> str:
        """What larder says it did (RFC 9211), as `larder; hit; ttl=59`."""
        return str(self.headers.get("Cache-Status", ""))

    @property
    def is_hit(self) -> bool:
        """Whether it came from the cache, stale or not."""
        return "hit" in (part.strip() for part in self.cache_status.split(";"))
