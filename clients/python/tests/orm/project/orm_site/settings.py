"""A site with two databases, for the tests of what the ORM reads and writes."""

import os
import tempfile
from pathlib import Path

SECRET_KEY = "not secret"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "shelf.Reader"
ROOT_URLCONF = "orm_site.urls"
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "larder_client.django",
    "shelf",
]

# `shelf` has no migrations, and refers to these.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "sessions": None}

_FOLDER = Path(os.environ.get("ORM_SITE_FOLDER") or tempfile.mkdtemp(prefix="orm-site-"))

# Files, not memory: threads and other processes see them too.
DATABASES = {
    name: {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": _FOLDER / f"{name}.sqlite3",
        "OPTIONS": {"timeout": 20},
        "TEST": {"NAME": _FOLDER / f"test-{name}.sqlite3"},
    }
    for name in ("default", "other")
}
# With psycopg, and a server: ORM_SITE_POSTGRES=127.0.0.1 PGUSER=postgres pytest tests/orm
if os.environ.get("ORM_SITE_POSTGRES"):
    for name, database in DATABASES.items():
        database.update(
            ENGINE="django.db.backends.postgresql",
            NAME=f"orm_site_{name}",
            HOST=os.environ["ORM_SITE_POSTGRES"],
            PORT=os.environ.get("PGPORT", ""),
            USER=os.environ.get("PGUSER", "postgres"),
            OPTIONS={},
            TEST={"NAME": f"test_orm_site_{name}"},
        )

LARDER = {
    "URL": os.environ.get("ORM_SITE_LARDER", "http://127.0.0.1:1"),
    "OUTBOX": bool(os.environ.get("ORM_SITE_OUTBOX")),
    "TOKEN": os.environ.get("ORM_SITE_TOKEN") or None,
}
