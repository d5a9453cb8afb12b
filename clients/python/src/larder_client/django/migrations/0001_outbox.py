"""The outbox's table."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Creates it; it stays empty unless LARDER["OUTBOX"] is set."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="PendingPurge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("due", models.DateTimeField(db_index=True)),
                ("document", models.JSONField()),
            ],
            options={
                "verbose_name": "pending purge",
                "db_table": "larder_client_pending_purge",
            },
        ),
    )
