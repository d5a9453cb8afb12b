"""What Django and Flask find in a part of a request: a line of JSON in, its kind and its
value with a character for each byte; a line of JSON out."""

import io
import json
import sys
from http.cookies import CookieError, SimpleCookie

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.middleware.gzip import re_accepts_gzip
from django.utils.translation import get_language_from_request
from django.utils.translation.trans_real import parse_accept_lang_header
from werkzeug.wrappers import Request

settings.configure(
    LANGUAGES=[("en", "English"), ("de", "German"), ("fr", "French"), ("pt-br", "Portuguese")],
    LANGUAGE_CODE="en",
    DEFAULT_CHARSET="utf-8",
)
django.setup()


def environ(key, value):
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "site.test",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        key: value,
    }


def languages(value):
    given = environ("HTTP_ACCEPT_LANGUAGE", value)
    accepted = [(language.lower(), float(weight)) for language, weight in Request(given).accept_languages]
    return [
        parse_accept_lang_header(value),
        get_language_from_request(WSGIRequest(given)),
        accepted,
    ]


def codings(value):
    accepted = Request(environ("HTTP_ACCEPT_ENCODING", value)).accept_encodings
    found = {(coding.lower(), float(weight)) for coding, weight in accepted}
    return [bool(re_accepts_gzip.search(value)), sorted(found)]


def cookies(value):
    given = environ("HTTP_COOKIE", value)
    return [dict(WSGIRequest(given).COOKIES), Request(given).cookies.to_dict(flat=False)]


def with_http_cookies(value):
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(value).items()}
    except CookieError:
        return {}


def named(found):
    return {name: found[name] for name in ("sessionid", "lang") if name in found}


def some_cookies(value):
    return [named(found) for found in cookies(value)]


def known_cookies(value):
    return [*some_cookies(value), named(with_http_cookies(value))]


def query(value):
    given = environ("QUERY_STRING", value)
    both = dict(WSGIRequest(given).GET.lists()), Request(given).args.to_dict(flat=False)
    return [{n: v for n, v in found.items() if not n.startswith("utm_")} for found in both]


KINDS = {
    "languages": languages,
    "codings": codings,
    "all cookies": cookies,
    "named cookies": some_cookies,
    "known cookies": known_cookies,
    "query": query,
}

for line in sys.stdin:
    kind, value = json.loads(line)
    print(json.dumps(KINDS[kind](value)), flush=True)
