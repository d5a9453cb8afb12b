"""Runs what it is given, line by line, in the site's settings: `Site.shell` starts it once."""

import json
import sys
import traceback

import django

django.setup()

import site_names  # noqa: E402

for line in sys.stdin:
    names = {**vars(site_names), "said": []}
    try:
        exec(json.loads(line), names)
        failure = ""
    except Exception:
        failure = traceback.format_exc()
    if not site_names.delivered():
        failure += "larder hasn't been told"
    sys.stdout.write(json.dumps({"failure": failure, "said": names["said"]}) + "\n")
    sys.stdout.flush()
