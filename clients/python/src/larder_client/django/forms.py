"""Forms and scripts on pages that everybody shares: placeholders that larder fills.

larder offers in the request field `Larder-Fill` what it can fill for each visitor: `csrf`, `nonce`.
With `LARDER["FORMS"]` the page then holds a placeholder in place of the visitor's token, and its
answer says in the field of the same name what it is, and how the cookie is set. Placeholders are
secret: they come from SECRET_KEY, and larder hands none on. Whoever could ask the app past larder
would see them, which is why this is off until FORMS is set.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.utils.cache import patch_vary_headers
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.html import format_html
from django.utils.safestring import SafeString

from . import conf

#: The field that offers, in requests, and that says what to fill, in answers.
FILL_FIELD = "Larder-Fill"
CSP_FIELDS = ("Content-Security-Policy", "Content-Security-Policy-Report-Only")


@dataclass
class Fill:
    """What may be left to larder in one answer, and what was."""

    #: Whether placeholders may be used for the token, and for the nonce.
    csrf: bool = False
    nonce: bool = False
    #: Whether one was.
    left_csrf: bool = False
    left_nonce: bool = False
    #: Whether one of the template tags was used at all.
    used: bool = False

    @classmethod
    def offered_by(cls, request: HttpRequest) -> Fill:
        """What larder can fill, as far as the settings let it."""
        if not conf.larder().forms:
            return cls()
        # As request.headers[FILL_FIELD], without making a dictionary of all fields.
        field = request.META.get("HTTP_LARDER_FILL", "")
        offered = {name.strip().lower() for name in field.split(",")}
        return cls(csrf="csrf" in offered, nonce="nonce" in offered)

    def close(self) -> None:
        """The head has gone: what is rendered from now on can't be announced any more."""
        self.csrf = self.nonce = False


def placeholder(what: str) -> str:
    """The placeholder of `csrf` (64 characters) or `nonce` (32), of [0-9a-f]."""
    return _derived(what, settings.SECRET_KEY)[: {"csrf": 64, "nonce": 32}[what]]


@lru_cache(maxsize=4)
def _derived(what: str, secret: str) -> str:
    derived: str = salted_hmac("larder_client.fill", what, secret, algorithm="sha256").hexdigest()
    return derived


def csrf_input(request: HttpRequest) -> SafeString:
    """The hidden input of a form: with larder's placeholder, else with the visitor's token.

    It is `{% larder_csrf %}`, and for Jinja2 a global: `{{ larder_csrf(request) }}`. With the
    placeholder the answer neither sets a cookie nor varies on one.
    """
    fill = _fill_of(request)
    fill.used = True
    if fill.csrf and _cookie_can_be_said():
        fill.left_csrf = True
        token = placeholder("csrf")
    else:
        token = get_token(request)
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)


def nonce(request: HttpRequest) -> str:
    """The nonce for scripts and for `Content-Security-Policy`: the same all through one answer.

    It is `{% larder_nonce %}`. Django's ContentSecurityPolicyMiddleware (6.0) and django-csp put
    it into their field; who writes the field themselves asks here for it.
    """
    fill = _fill_of(request)
    fill.used = True
    made = getattr(request, "_larder_nonce", None)
    if made is None:
        if fill.nonce:
            fill.left_nonce = True
            made = placeholder("nonce")
        else:
            made = get_random_string(32)
        # Both keep their nonce there until the field is written.
        request._larder_nonce = request._csp_nonce = made
    return str(made)


def _fill_of(request: HttpRequest) -> Fill:
    return getattr(getattr(request, "larder", None), "fill", None) or Fill()


def complete(request: HttpRequest, response: HttpResponseBase, fill: Fill) -> None:
    """Says in an answer what larder has to fill, and fills what nobody else will."""
    if not conf.larder().forms:
        return
    left_csrf = _holds(response, "csrf", fill.left_csrf)
    left_nonce = _holds(response, "nonce", fill.left_nonce)
    if fill.used or left_csrf or left_nonce:
        patch_vary_headers(response, [FILL_FIELD])
    if left_csrf and not (fill.csrf and _cookie_can_be_said()):
        _put_token(request, response)
        left_csrf = False
    if left_nonce and not fill.nonce:
        _replace(response, "nonce", get_random_string(32))
        left_nonce = False
    members = []
    if left_csrf:
        members.append(f'csrf="{placeholder("csrf")}"{_cookie()}')
    if left_nonce:
        members.append(f'nonce="{placeholder("nonce")}"')
    if members:
        response.headers[FILL_FIELD] = ", ".join(members)


def _body(response: HttpResponseBase) -> bytes | None:
    """The body, if it is there as it will be seen: not streaming, and not compressed."""
    if response.streaming or response.has_header("Content-Encoding"):
        return None
    body: bytes | None = getattr(response, "content", None)
    return body


def _holds(response: HttpResponseBase, what: str, was_left: bool) -> bool:
    """Whether a placeholder is in an answer, perhaps by a fragment from Django's own cache."""
    body, text = _body(response), placeholder(what)
    if body is None:
        return was_left
    return text.encode() in body or any(text in response.headers.get(one, "") for one in CSP_FIELDS)


def _put_token(request: HttpRequest, response: HttpResponseBase) -> None:
    """Fills a form that a cached fragment has brought to a visitor who came past larder."""
    _replace(response, "csrf", get_token(request))
    CsrfViewMiddleware(lambda _: response).process_response(request, response)
    patch_vary_headers(response, ["Cookie"])


def withdraw(response: HttpResponseBase) -> None:
    """Blanks placeholders that nobody will fill, after an error of our own."""
    if not response.has_header(FILL_FIELD):
        _replace(response, "csrf", "")
        _replace(response, "nonce", "")


def _replace(response: HttpResponseBase, what: str, text: str) -> None:
    """Puts a text where a placeholder stands, in the body and the policy."""
    body, before = _body(response), placeholder(what)
    for name in CSP_FIELDS:
        if response.has_header(name):
            response.headers[name] = response.headers[name].replace(before, text)
    if body is not None and before.encode() in body:
        response.content = body.replace(before.encode(), text.encode())
        # It is another body now: not that of the old tag, and of its own length.
        response.headers.pop("ETag", None)
        if response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))


def cookie_problem() -> str | None:
    """Why larder can't set the CSRF cookie as Django would, if it can't."""
    if settings.CSRF_USE_SESSIONS:
        return "CSRF_USE_SESSIONS keeps the token in the session"
    try:
        _cookie()
    except ValueError as error:
        return str(error)
    return None


def _cookie_can_be_said() -> bool:
    problem = cookie_problem()
    if problem is not None:
        message = "{%% larder_csrf %%} is taken for {%% csrf_token %%}: %s"
        conf.notices.say(logging.WARNING, "cookie", message, problem)
    return problem is None


def _cookie() -> str:
    """How larder sets the CSRF cookie, as parameters of a dictionary's member (RFC 9651).

    Raises ValueError for a setting of which larder would make no cookie.
    """
    name, age, path = (getattr(settings, f"CSRF_COOKIE_{part}") for part in ("NAME", "AGE", "PATH"))
    domain, same_site = settings.CSRF_COOKIE_DOMAIN, settings.CSRF_COOKIE_SAMESITE
    said = _string("cookie", name, r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "NAME")
    if age is not None:
        if not isinstance(age, int) or not 0 < age < 10**15:
            raise ValueError(f"CSRF_COOKIE_AGE is {age!r}; larder takes whole seconds above 0")
        said += f";max-age={age}"
    if path:
        said += _string("path", path, r"/[!-:<-~]*", "PATH")
    if domain:
        said += _string("domain", domain, r"[0-9A-Za-z.-]+", "DOMAIN")
    if same_site:
        said += _string("samesite", same_site, r"(?i:lax|strict|none)", "SAMESITE")
    said += ";secure" if settings.CSRF_COOKIE_SECURE else ""
    return said + (";httponly" if settings.CSRF_COOKIE_HTTPONLY else "")


def _string(parameter: str, value: object, pattern: str, setting: str) -> str:
    is_text = isinstance(value, str) and len(value) <= _LONGEST
    if not is_text or not re.fullmatch(pattern, str(value), re.ASCII):
        raise ValueError(f"CSRF_COOKIE_{setting} is {value!r}, of which larder makes no cookie")
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f';{parameter}="{escaped}"'


#: Bytes that larder takes of each.
_LONGEST = 1024
