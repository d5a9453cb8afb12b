"""The app that goes into INSTALLED_APPS as `larder_client.django`."""

from __future__ import annotations

from django.apps import AppConfig


class LarderConfig(AppConfig):
    """Registers the system checks, and has the reads and writes of the ORM recorded."""

    name = "larder_client.django"
    label = "larder_client"
    verbose_name = "larder"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once all models are there."""
        from . import checks, orm

        checks.register()
        orm.install()
