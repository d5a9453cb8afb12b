"""The app that goes into INSTALLED_APPS as `larder_client.wagtail`."""

from __future__ import annotations

from django.apps import AppConfig


class LarderWagtailConfig(AppConfig):
    """Has Wagtail's changes purge what shows them."""

    name = "larder_client.wagtail"
    label = "larder_client_wagtail"
    verbose_name = "larder for Wagtail"

    def ready(self) -> None:
        """Called by Django once all models are there."""
        from larder_client.wagtail import checks, receivers, registering

        checks.register()
        registering.register_models()
        receivers.connect()
