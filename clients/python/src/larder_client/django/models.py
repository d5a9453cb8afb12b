"""The outbox's table."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class PendingPurge(models.Model):
    """A purge that is committed and not yet delivered (`LARDER["OUTBOX"]`)."""

    id = models.BigAutoField(primary_key=True)
    created = models.DateTimeField(default=timezone.now)
    #: From when on somebody else than whoever has written or taken it may deliver it.
    due = models.DateTimeField(db_index=True)
    #: `Purge.to_json`.
    document = models.JSONField()

    class Meta:
        app_label = "larder_client"
        db_table = "larder_client_pending_purge"
        verbose_name = "pending purge"

    def __str__(self) -> str:
        return f"purge {self.pk} of {self.created:%Y-%m-%d %H:%M:%S}"
