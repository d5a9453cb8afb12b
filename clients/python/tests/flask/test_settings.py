"""`LARDER_*`, right and wrong."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("flask")

from flask import Flask
from larder_client import ConfigurationError
from larder_client.flask.settings import read


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "URL": "http://larder:6082",
        "TOKEN": "12345",
        "TIMEOUT": "0.5",
        "SOFT": "true",
        "SITE": "https://shop.example/",
        "IGNORE_TABLES": "log, Queue",
        "MAX_TAGS": "10",
    }.items():
        monkeypatch.setenv(f"FLASK_LARDER_{name}", value)
    app = Flask("shop")
    app.config.from_prefixed_env()
    settings = read(app.config)
    assert settings.options.url == "http://larder:6082"
    assert (settings.options.token, settings.options.timeout) == ("12345", 0.5)
    assert settings.options.soft
    assert settings.options.max_tags == 10
    assert settings.site == "https://shop.example"
    assert settings.ignore_tables == ("log", "Queue")


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_TOKEN", "of-the-environment")
    settings = read(Flask("shop").config)
    assert settings.options.url == "http://127.0.0.1:6082"
    assert settings.options.token == "of-the-environment"
    assert (settings.site, settings.outbox, settings.sqlalchemy) == (None, False, True)


def test_the_table_of_flask_session_is_on_no_page() -> None:
    assert read({"SESSION_TYPE": "sqlalchemy"}).ignore_tables == ("sessions",)
    named = {"SESSION_TYPE": "sqlalchemy", "SESSION_SQLALCHEMY_TABLE": "s"}
    assert read(named).ignore_tables == ("s",)
    assert read({"SESSION_TYPE": "redis"}).ignore_tables == ()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"LARDER_TIMEUOT": 1}, "no key 'LARDER_TIMEUOT'; did you mean 'LARDER_TIMEOUT'?"),
        ({"LARDER_STIE": "x"}, "did you mean 'LARDER_SITE'?"),
        ({"LARDER_TIMEOUT": "2s"}, "app.config['LARDER_TIMEOUT']"),
        ({"LARDER_TIMEOUT": 0}, "app.config['LARDER_TIMEOUT']"),
        ({"LARDER_URL": "larder:6082"}, "app.config['LARDER_URL']"),
        ({"LARDER_URL": 6082}, "app.config['LARDER_URL']"),
        ({"LARDER_ENABLED": "no"}, "app.config['LARDER_ENABLED']"),
        ({"LARDER_OUTBOX": "yes"}, "app.config['LARDER_OUTBOX'] is True or False, not 'yes'"),
        ({"LARDER_SITE": "shop.example"}, "app.config['LARDER_SITE'] is how visitors reach"),
        ({"LARDER_SITE": 1}, "app.config['LARDER_SITE']"),
        ({"LARDER_IGNORE_TABLES": 1}, "is a list of names of tables, not 1"),
        ({"LARDER_IGNORE_TABLES": [1]}, "is a list of names of tables"),
    ],
)
def test_what_makes_no_sense_is_named(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(config)
    assert said in str(raised.value)
