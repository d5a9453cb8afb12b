"""The example's settings, without its migrations: the tables are made from the models at once."""

from mysite.settings import *  # noqa: F403

import django
from larder_client import Sender


class _None:
    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


MIGRATION_MODULES = _None()
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

#: How often the outbox is looked at.
Sender.POLL = 1.0

if django.VERSION < (5, 1):
    DATABASES["default"].update(ENGINE="sqlite_immediate", OPTIONS={"timeout": 20})  # noqa: F405
