"""Makes the site's tables and what Wagtail's own migrations put into them, then seeds it."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from wagtail.models import Collection  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
Collection.add_root(name="Root")
call_command("seed", site=sys.argv[1])
