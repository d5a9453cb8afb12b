"""A form on a page that all visitors share, by the contract of docs/forms.md: a few lines of
what a client library does.

Where larder offers it (`Larder-Fill` in the request), placeholders stand for the token and the
nonce, and the response says so; no cookie is touched. Else Django does what it always does.
"""

from django.conf import settings
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.crypto import get_random_string, salted_hmac


def placeholder(what):
    """64 letters and digits that nobody outside knows."""
    return salted_hmac("blog.filled", what, algorithm="sha256").hexdigest()


class Fill:
    """What is to stand in one page, and its fields."""

    def __init__(self, request):
        offered = [word.strip() for word in request.headers.get("Larder-Fill", "").split(",")]
        self.members = []
        if "csrf" in offered:
            self.token = placeholder("csrf")
            self.members.append(f'csrf="{self.token}"{cookie()}')
        else:
            self.token = get_token(request)
        if "nonce" in offered:
            self.nonce = placeholder("nonce")[:32]
            self.members.append(f'nonce="{self.nonce}"')
        else:
            self.nonce = get_random_string(32)

    def finish(self, response):
        response.headers["Content-Security-Policy"] = f"script-src 'nonce-{self.nonce}'"
        if self.members:
            response.headers["Larder-Fill"] = ", ".join(self.members)
        patch_vary_headers(response, ["Larder-Fill"])
        return response


def cookie():
    """The CSRF cookie's settings, as parameters."""
    parameters = f';cookie="{settings.CSRF_COOKIE_NAME}";path="{settings.CSRF_COOKIE_PATH}"'
    if settings.CSRF_COOKIE_AGE:
        parameters += f";max-age={settings.CSRF_COOKIE_AGE}"
    if settings.CSRF_COOKIE_DOMAIN:
        parameters += f';domain="{settings.CSRF_COOKIE_DOMAIN}"'
    if settings.CSRF_COOKIE_SAMESITE:
        parameters += f';samesite="{settings.CSRF_COOKIE_SAMESITE}"'
    if settings.CSRF_COOKIE_SECURE:
        parameters += ";secure"
    if settings.CSRF_COOKIE_HTTPONLY:
        parameters += ";httponly"
    return parameters
