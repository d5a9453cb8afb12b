#!/usr/bin/env python
"""A small blog on Django and SQLite, served to the tests by gunicorn.

    export BLOG_DB=/tmp/blog.sqlite3
    python manage.py migrate && python manage.py seed
    python -m gunicorn django_blog.wsgi:application

`django_blog/settings.py` lists the environment it reads.
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_blog.settings")
    execute_from_command_line(sys.argv)
