"""System checks of Wagtail's part: `manage.py check` says what is missing, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags
from django.core.checks import register as register_check

from larder_client import ConfigurationError
from larder_client.wagtail.backend import backend_options

BACKEND = "larder_client.wagtail.LarderBackend"


def register() -> None:
    """Called once, when the app is ready."""
    register_check(check_wagtail, Tags.caches)


def check_wagtail(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """All that can be wrong with the settings of Wagtail's part."""
    return [*_apps(), *_backends()]


def _apps() -> Iterator[CheckMessage]:
    if not apps.is_installed("larder_client.django"):
        yield Error(
            "larder_client.wagtail needs larder_client.django, which sends what it purges.",
            hint="Put 'larder_client.django' into INSTALLED_APPS, before 'larder_client.wagtail'.",
            id="larder_wagtail.E001",
        )


def _backends() -> Iterator[CheckMessage]:
    backends = getattr(settings, "WAGTAILFRONTENDCACHE", None) or {}
    for name, params in backends.items():
        if params.get("BACKEND") != BACKEND:
            continue
        try:
            backend_options(params)
        except ConfigurationError as error:
            yield Error(
                str(error).replace("[...]", f"[{name!r}]"),
                hint="docs/wagtail.md has a backend with all of its keys.",
                id="larder_wagtail.E002",
            )
