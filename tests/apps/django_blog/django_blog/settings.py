"""Settings of the blog: what `startproject` writes, less what a test does not need.

Environment:
    BLOG_DB               path of the SQLite file
    BLOG_URL              how the public reaches the site, e.g. http://127.0.0.1:6081: URLs to
                          purge are made with it; without it only tags are purged
    CSRF_TRUSTED_ORIGINS  comma-separated, e.g. https://blog.example
    LARDER_ADMIN          e.g. http://127.0.0.1:6082: changes are purged there
    LARDER_TOKEN          sent there as a bearer token
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "blog",
]

# The order of Django's documentation ("Middleware ordering"), WhiteNoise where its own puts it.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "django_blog.urls"
WSGI_APPLICATION = "django_blog.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BLOG_DB", BASE_DIR / "blog.sqlite3"),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
USE_TZ = True

# Found in the apps' `static/` folders at start-up; no `collectstatic` to run before a test.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

LOGIN_REDIRECT_URL = "/account/"
LOGOUT_REDIRECT_URL = "/"

BLOG_URL = os.environ.get("BLOG_URL")
LARDER_ADMIN = os.environ.get("LARDER_ADMIN")
LARDER_TOKEN = os.environ.get("LARDER_TOKEN")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
