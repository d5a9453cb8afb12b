"""The same with django-debug-toolbar."""

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS, MIDDLEWARE

DEBUG = True
ROOT_URLCONF = "larder_site.toolbar_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.staticfiles", "debug_toolbar"]
MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware", *MIDDLEWARE]
DEBUG_TOOLBAR_PANELS = ["larder_client.django.panel.LarderPanel"]
DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": lambda request: True, "IS_RUNNING_TESTS": False}
