"""System checks: each says what is wrong, and what to do."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from scripted import Admin

from larder_client.django import checks, order

OURS, GZIP, CONDITIONAL = order.OURS, order.GZIP, order.CONDITIONAL
OUR_APP = "larder_client.django"
SESSION, UPDATE = order.SESSION, order.UPDATE_CACHE


def ids(messages) -> list[str]:
    for message in messages:
        assert message.hint, message
    return [message.id.removeprefix("larder.") for message in messages]


def test_the_tests_own_settings_are_good() -> None:
    call_command("check", fail_level="WARNING")


@pytest.mark.parametrize(
    ("larder", "expected", "said"),
    [
        ("http://127.0.0.1:6082", "E001", "is to be a dict such as"),
        (None, "E001", "is to be a dict"),
        ({"URI": "http://127.0.0.1:6082"}, "E002", "did you mean 'URL'?"),
        ({"SITES": "http://x"}, "E002", "did you mean 'SITE'?"),
        ({"URL": "127.0.0.1:6082"}, "E002", "settings.LARDER['URL']"),
        ({"TIMEOUT": "2"}, "E002", "settings.LARDER['TIMEOUT']: '2' is not a number"),
        ({"FORMS": "yes"}, "E002", "settings.LARDER['FORMS']: 'yes' is neither True nor False"),
        ({"IGNORE_MODELS": "auth"}, "E002", "is no list such as"),
        ({"IGNORE_MODELS": ["larder_site.Not"]}, "E002", "IGNORE_MODELS names 'larder_site.Not'"),
        ({1: 2}, "E002", "has no key 1"),
        ({"OUTBOX": 1}, "E002", "settings.LARDER['OUTBOX']"),
        ({"SITE": "www.example.org"}, "E002", 'as "https://www.example.org"'),
        ({"TOKEN": "two words"}, "E002", "settings.LARDER['TOKEN']"),
        ({"URL": "http://larder:6082"}, "E003", "there is no token"),
        ({"URL": "http://larder:6082", "TOKEN": "secret"}, "W001", "in the clear"),
    ],
)
def test_settings_that_are_wrong_or_unsafe(larder, expected, said) -> None:
    with override_settings(LARDER=larder):
        messages = checks.check_settings()
    assert ids(messages) == [expected]
    assert said in messages[0].msg + messages[0].hint
    assert "secret" not in messages[0].msg + messages[0].hint


@pytest.mark.parametrize(
    "larder",
    [
        {},
        {"URL": "http://localhost:6082"},
        {"URL": "http://[::1]:6082"},
        {"URL": "https://larder.example:6082", "TOKEN": "secret"},
        {"URL": "http://larder:6082", "ENABLED": False},
    ],
)
def test_settings_that_are_good(larder) -> None:
    with override_settings(LARDER=larder):
        assert checks.check_settings() == []


def test_settings_that_are_missing() -> None:
    with override_settings():
        del settings.LARDER
        assert ids(checks.check_settings()) == ["W002"]


@pytest.mark.parametrize(
    "wrong", [{"CSRF_USE_SESSIONS": True}, {"CSRF_COOKIE_PATH": "/a b"}, {"CSRF_COOKIE_NAME": 7}]
)
def test_forms_that_larder_can_not_fill(wrong) -> None:
    with override_settings(LARDER={"FORMS": True}, **wrong):
        (message,) = checks.check_settings()
    assert message.id == "larder.W012"
    assert next(iter(wrong)) in message.msg
    with override_settings(LARDER={}, **wrong):
        assert checks.check_settings() == []


def test_a_token_of_the_environment_counts(monkeypatch) -> None:
    monkeypatch.setenv("LARDER_TOKEN", "secret")
    with override_settings(LARDER={"URL": "https://larder.example:6082"}):
        assert checks.check_settings() == []


def test_an_error_fails_manage_py_check() -> None:
    with (
        override_settings(LARDER={"URLS": 1}),
        pytest.raises(SystemCheckError, match="E002"),
    ):
        call_command("check")


@pytest.mark.parametrize(
    ("middleware", "expected"),
    [
        ([GZIP, OURS, SESSION, CONDITIONAL], []),
        ([SESSION], ["W003"]),
        ([OURS, GZIP, SESSION], ["W004"]),
        ([GZIP, SESSION, OURS], ["W004"]),
        ([OURS, SESSION, CONDITIONAL, GZIP], ["W004", "W005"]),
        ([UPDATE, OURS, SESSION], ["W006"]),
        ([OURS, UPDATE, SESSION], ["W004", "W006"]),
        ([OURS, SESSION, OURS], ["W007"]),
    ],
)
def test_the_order_of_middleware(middleware, expected) -> None:
    assert ids(order.middleware_messages(middleware)) == expected


def test_a_wrong_place_is_said_with_the_names() -> None:
    (message,) = order.middleware_messages([SESSION, OURS, GZIP])
    assert "GZipMiddleware is to stand above it" in message.msg
    assert "SessionMiddleware is to stand below it" in message.msg


def test_names_of_cookies_that_the_preset_does_not_know() -> None:
    assert checks.check_cookies() == []
    with override_settings(SESSION_COOKIE_NAME="sid"):
        (message,) = checks.check_cookies()
    assert message.id == "larder.W008"
    assert 'cache.cookies = ["sid"]' in message.hint
    # Without LocaleMiddleware nobody reads that cookie.
    with override_settings(LANGUAGE_COOKIE_NAME="lang"):
        assert checks.check_cookies() == []
        with override_settings(MIDDLEWARE=[order.LOCALE]):
            assert ids(checks.check_cookies()) == ["W008"]


def test_what_sessions_and_messages_do_to_public_pages() -> None:
    assert checks.check_public_pages() == []
    storage = "django.contrib.messages.storage.session.SessionStorage"
    with override_settings(SESSION_SAVE_EVERY_REQUEST=True, MESSAGE_STORAGE=storage):
        assert ids(checks.check_public_pages()) == ["W009", "W010"]


#: What it says of a purge that is only tried, and of a cookie.
GOOD = {
    "dry_run": True,
    "objects": 0,
    "soft": False,
    "tags": [{"objects": 0}],
    "outcome": {"token": "bypass"},
}


@pytest.mark.parametrize(
    ("apps", "expected"),
    [
        ([OUR_APP], []),
        (["cachalot", OUR_APP], []),
        ([OUR_APP, "cachalot"], ["W014"]),
        (["cacheops", OUR_APP], ["W014"]),
    ],
)
def test_apps_that_answer_queries(apps: list[str], expected: list[str], monkeypatch) -> None:
    configs = [SimpleNamespace(name=name) for name in apps]
    monkeypatch.setattr(checks.apps, "get_app_configs", lambda: configs)
    assert ids(checks.check_query_caches()) == expected


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        ((200, GOOD), [], ""),
        ((401, {"detail": "no token"}), ["E004"], "LARDER['TOKEN']"),
        ((403, {"detail": "wrong network"}), ["E004"], "admin.networks"),
        ((404, b"not found"), ["E004"], "Correct LARDER['URL']: it is admin.listen"),
        ((405, b"no POST"), ["E004"], "Where visitors go is LARDER['SITE']"),
        ((500, {}), ["W011"], "status 500"),
        ((200, b"<html>"), ["W011"], "admin.listen"),
        ((200, {"hello": 1}), ["W011"], "no answer of larder's"),
    ],
)
def test_deploying_asks_the_proxy(answer, expected, said) -> None:
    status, body = answer
    said_by_it = body if isinstance(body, bytes) else json.dumps(body).encode()
    with Admin(status, said_by_it) as admin, override_settings(LARDER={"URL": admin.url}):
        messages = checks.check_proxy()
    assert ids(messages) == expected
    assert all(said in message.msg + message.hint for message in messages)


def test_the_visitors_port_for_a_url_is_not_taken_for_a_wrong_token(larder) -> None:
    with Admin(404, b"not found") as app:
        proxy = larder(app.url)
        with override_settings(LARDER={"URL": proxy.url}):
            (message,) = checks.check_proxy()
    assert message.id == "larder.E004"
    assert "the URL has to be that of larder's admin port" in message.msg
    assert message.hint.startswith("Correct LARDER['URL']")
    assert "TOKEN" not in message.hint


def test_deploying_says_that_nobody_answers_or_too_slowly() -> None:
    with override_settings(LARDER={"URL": "http://127.0.0.1:9"}):
        assert ids(checks.check_proxy()) == ["W011"]
    with (
        Admin(200, b"{}", hangs=True) as admin,
        override_settings(LARDER={"URL": admin.url, "TIMEOUT": 0.2}),
    ):
        (message,) = checks.check_proxy()
    assert "took longer than 0.2 s" in message.msg


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        ({"cookies": ["sid"], "bypass_cookies": ["messages", "django_language"]}, []),
        # Every cookie counts: that is safe.
        ({"bypass_cookies": ["messages", "django_language"]}, []),
        ({"cookies": ["sessionid"], "bypass_cookies": ["messages", "django_language"]}, ["E005"]),
        ({"cookies": ["sid"]}, ["W013", "W013"]),
    ],
)
def test_deploying_asks_larder_itself_whether_it_knows_the_cookies(larder, cache, expected) -> None:
    proxy = larder("127.0.0.1:9", cache=cache)
    middleware = [*settings.MIDDLEWARE, order.LOCALE]
    with override_settings(
        LARDER={"URL": proxy.admin}, SESSION_COOKIE_NAME="sid", MIDDLEWARE=middleware
    ):
        messages = checks.check_proxy()
    assert ids(messages) == expected


def test_a_token_that_may_purge_and_not_look_will_do(larder) -> None:
    token = {"name": "django", "token": "t0ken", "scope": "tags"}
    proxy = larder("127.0.0.1:9", admin={"token": "another", "tokens": [token]})
    with override_settings(LARDER={"URL": proxy.admin, "TOKEN": "t0ken"}):
        assert checks.check_proxy() == []
    with override_settings(LARDER={"URL": proxy.admin, "TOKEN": "wrong"}):
        assert ids(checks.check_proxy()) == ["E004"]


def test_every_check_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs" / "django.md").read_text()
    for kind, most in (("E", 5), ("W", 13)):
        for number in range(1, most + 1):
            assert f"`larder.{kind}{number:03}`" in page
