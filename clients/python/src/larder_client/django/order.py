"""In which order middleware works with a cache in front."""

from __future__ import annotations

from collections.abc import Iterator

from django.core import checks

OURS = "larder_client.django.middleware.LarderMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL = "django.middleware.http.ConditionalGetMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
LOCALE = "django.middleware.locale.LocaleMiddleware"
UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
CSP = "django.middleware.csp.ContentSecurityPolicyMiddleware"
DJANGO_CSP = "csp.middleware.CSPMiddleware"

#: What has to stand above ours: they change the body, or keep it with its tags.
ABOVE = (GZIP, UPDATE_CACHE)
#: What has to stand below ours: what they add to an answer decides whether it is kept.
BELOW = (SESSION, CONDITIONAL, LOCALE, CSRF, MESSAGES, CSP, DJANGO_CSP)


def middleware_messages(middleware: list[str]) -> list[checks.CheckMessage]:
    """What is wrong with a list of middleware, for `manage.py check` and `larder_doctor`."""
    return list(_messages(middleware))


def _messages(middleware: list[str]) -> Iterator[checks.CheckMessage]:
    yield from _of_ours(middleware)
    if _stands_above(middleware, CONDITIONAL, GZIP):
        yield checks.Warning(
            "GZipMiddleware stands below ConditionalGetMiddleware: what it compresses has random "
            "bytes in it, so the ETag is another one each time, and nothing is confirmed (304).",
            hint="List GZipMiddleware first, directly below SecurityMiddleware.",
            id="larder.W005",
        )
    if UPDATE_CACHE in middleware:
        yield checks.Warning(
            "UpdateCacheMiddleware keeps every page a second time, where no purge reaches it: "
            "larder forgets a page, and gets the old one again.",
            hint="Leave out UpdateCacheMiddleware and FetchFromCacheMiddleware, and `cache_page`: "
            "@larder_cache keeps pages in larder.",
            id="larder.W006",
        )


def _of_ours(middleware: list[str]) -> Iterator[checks.CheckMessage]:
    if OURS not in middleware:
        yield checks.Warning(
            "LarderMiddleware is not in MIDDLEWARE: pages bear no tags, so that purges don't "
            "find them, and @larder_cache does nothing.",
            hint=f"Add '{OURS}' directly above SessionMiddleware.",
            id="larder.W003",
        )
        return
    if middleware.count(OURS) > 1:
        yield checks.Warning(
            "LarderMiddleware is in MIDDLEWARE more than once.",
            hint="Keep the one above SessionMiddleware.",
            id="larder.W007",
        )
    too_high = [_short(name) for name in ABOVE if _stands_above(middleware, OURS, name)]
    too_low = [_short(name) for name in BELOW if _stands_above(middleware, name, OURS)]
    if too_high or too_low:
        wrong = [
            *(f"{name} is to stand above it" for name in too_high),
            *(f"{name} is to stand below it" for name in too_low),
        ]
        yield checks.Warning(
            f"LarderMiddleware stands where it does not see all: {'; '.join(wrong)}.",
            hint="Put it below SecurityMiddleware, WhiteNoise and GZipMiddleware, and directly "
            "above SessionMiddleware.",
            id="larder.W004",
        )


def _stands_above(middleware: list[str], upper: str, lower: str) -> bool:
    if upper not in middleware or lower not in middleware:
        return False
    return middleware.index(upper) < middleware.index(lower)


def _short(path: str) -> str:
    return path.rpartition(".")[2]
