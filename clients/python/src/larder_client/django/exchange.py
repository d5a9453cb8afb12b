"""What is known of one request while it is answered: it hangs on `request.larder`."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest

from larder_client import Collected, Purge

from .forms import Fill


@dataclass
class Exchange:
    """One request and its answer."""

    #: The tags so far, and what `@larder_cache` has set.
    collected: Collected
    #: What was purged meanwhile: the writes that were committed.
    purges: list[Purge]
    #: Which placeholders larder fills, and which were used.
    fill: Fill
    #: Whether tags were given by hand, so that they don't depend on what is read.
    tagged_by_hand: bool = False
    #: Why the answer isn't to be kept, in words for the log and the debug toolbar.
    refusals: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest, collected: Collected, purges: list[Purge]) -> Exchange:
        """A request that has just come in."""
        return cls(collected, purges, Fill.offered_by(request))


def exchange_of(request: HttpRequest) -> Exchange | None:
    """What is known of a request; None without the middleware."""
    found = getattr(request, "larder", None)
    return found if isinstance(found, Exchange) else None
