"""The example's site as Wagtail comes, without larder's apps: its own HTTPBackend, and ours."""

import os

from site_settings import *  # noqa: F403

INSTALLED_APPS = [app for app in INSTALLED_APPS if "larder" not in app]  # noqa: F405
INSTALLED_APPS += ["wagtail.contrib.frontend_cache"]
MIDDLEWARE = [one for one in MIDDLEWARE if "larder" not in one]  # noqa: F405
WAGTAILFRONTENDCACHE = {
    "stock": {
        "BACKEND": "wagtail.contrib.frontend_cache.backends.HTTPBackend",
        "LOCATION": os.environ["LARDER_PROXY"],
    },
    "larder": {
        "BACKEND": "larder_client.wagtail.LarderBackend",
        "LOCATION": os.environ["LARDER_URL"],
    },
}
