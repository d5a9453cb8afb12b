"""What `startproject` writes, and what larder needs: look for "larder"."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ.get("BLOG_SECRET_KEY", "an example's, so no secret")
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
# How browsers write the site's address, larder's port with it: forms come from there.
SITE = os.environ.get("BLOG_SITE", "http://127.0.0.1:6081")
CSRF_TRUSTED_ORIGINS = [SITE]

INSTALLED_APPS = [
    "blog",
    "larder_client.django",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
]

# larder: where its admin port is, how visitors reach the site, and that it fills in forms.
# FORMS is right because nobody reaches gunicorn but through larder: it listens on loopback.
LARDER = {
    "URL": os.environ.get("BLOG_LARDER", "http://127.0.0.1:6082"),
    "SITE": SITE,
    "FORMS": True,
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # larder: below what compresses, above all that may add cookies and Vary.
    "larder_client.django.middleware.LarderMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"

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
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-us"
USE_TZ = True
STATIC_URL = "static/"
