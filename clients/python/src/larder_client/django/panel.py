"""A panel for django-debug-toolbar: `larder_client.django.panel.LarderPanel`.

It shows a page's tags, what its view has set, what larder is told, and the purges it made.
"""

from __future__ import annotations

import re

from debug_toolbar.panels import Panel
from django.http import HttpRequest, HttpResponseBase

from .exchange import exchange_of

#: The fields that speak to caches.
_TOLD = {
    "cache-control",
    "cache-group-invalidation",
    "cache-groups",
    "cache-tag",
    "larder-cache-control",
    "larder-fill",
    "vary",
    "x-litespeed-purge",
}


class LarderPanel(Panel):  # type: ignore[misc,unused-ignore]
    """What one answer says to larder."""

    title = "larder"
    nav_title = "larder"
    template = "larder_client/panel.html"
    is_async = True

    @property
    def nav_subtitle(self) -> str:
        """Beside the title in the side bar."""
        stats = self.get_stats() or {}  # type: ignore[no-untyped-call,unused-ignore]
        if not stats.get("collects"):
            return "LarderMiddleware is missing"
        tags = len(stats["tags"])
        return f"{tags} tag{'' if tags == 1 else 's'}, {stats['purged_number']} purged"

    def generate_stats(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Takes what the middleware left at the request; plain values, for the toolbar's store."""
        exchange = exchange_of(request)
        if exchange is None:
            self._record({"collects": False})
            return
        purged = sorted({tag for one in exchange.purges for tag in one.tags})
        others = [str(one.to_json()) for one in exchange.purges if set(one.to_json()) - {"tags"}]
        self._record(
            {
                "collects": True,
                "tags": list(exchange.collected.tags()),
                "told": _told(response),
                "set": str(exchange.collected.cache or ""),
                "refusals": list(exchange.refusals),
                "purged": purged,
                "purged_otherwise": others,
                "purged_number": len(purged) + len(others),
            }
        )

    def _record(self, stats: dict[str, object]) -> None:
        self.record_stats(stats)  # type: ignore[no-untyped-call,unused-ignore]


def _told(response: HttpResponseBase) -> list[tuple[str, str]]:
    """The fields that speak to caches; placeholders are nobody's business."""
    told = [(name, value) for name, value in response.items() if name.lower() in _TOLD]
    return [(name, re.sub('"[0-9a-f]{32,64}"', '"..."', value)) for name, value in told]
