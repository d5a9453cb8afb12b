"""Settings: each mistake is named, with what to write instead."""

from typing import Any

import pytest

from larder_client import ConfigurationError, LarderError, Options


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"URL": 7}, "settings.LARDER['URL']: 7 is not a string; write the admin port's address"),
        ({"URL": "localhost:6082"}, "does not begin with http:// or https://"),
        ({"URL": "http://:6082"}, "does not begin with http:// or https:// and a host"),
        ({"URL": "http://x:port"}, "['URL']: 'http://x:port': Port could not be cast"),
        ({"URL": "http://x:0"}, "has more than a scheme, a host and a port"),
        ({"URL": "http://x:1/v1/purge"}, "has more than a scheme, a host and a port"),
        ({"URL": "http://me:secret@x:1"}, "the token is a setting of its own"),
        ({"URL": "http://x:1\r\nA: b"}, "has characters that no URL has"),
        ({"TOKEN": 7}, "['TOKEN']: it is to be a string, not of type int"),
        ({"TOKEN": "a\nb"}, "a token is visible ASCII"),
        ({"TIMEOUT": "2s"}, "['TIMEOUT']: '2s' is not a number of seconds"),
        ({"TIMEOUT": True}, "True is not a number of seconds"),
        ({"TIMEOUT": 0}, "0 is not within 0 and 600 seconds"),
        ({"TIMEOUT": float("nan")}, "nan is not within 0 and 600 seconds"),
        ({"ENABLED": "yes"}, "['ENABLED']: 'yes' is neither True nor False"),
        ({"MAX_TAGS": 0}, "['MAX_TAGS']: 0 is not within 1 and 10,000"),
        ({"QUEUE": 1.5}, "['QUEUE']: 1.5 is not a whole number"),
        ({"TIME_OUT": 2}, "settings.LARDER has no key 'TIME_OUT'; did you mean 'TIMEOUT'?"),
        ({"url": "http://x:1"}, "has no key 'url'; did you mean 'URL'?"),
        ({"OUTBOKS": 2}, "did you mean 'OUTBOX'?"),
        ({"WHATEVER": 2}, "has no key 'WHATEVER'; it has ATTEMPTS, ENABLED"),
        ({7: 2}, "has no key 7"),
        ([], "settings.LARDER is to be a dict, not []"),
    ],
)
def test_a_mistake_is_named(mapping: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Options.from_mapping(mapping, "settings.LARDER", also={"OUTBOX"})
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_by_hand_the_field_is_named() -> None:
    with pytest.raises(ConfigurationError, match="^attempts: 0 is not within 1 and 1,000"):
        Options(attempts=0)
    assert issubclass(ConfigurationError, LarderError)
    assert issubclass(ConfigurationError, ValueError)


def test_what_is_given_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LARDER_TOKEN", raising=False)
    given = {"URL": "https://[::1]:6082", "SOFT": True, "TIMEOUT": 1, "OUTBOX": object()}
    options = Options.from_mapping(given, "x", also={"OUTBOX"})
    assert options == Options(url="https://[::1]:6082", soft=True, timeout=1)
    assert Options.from_mapping({}, "x") == Options()


def test_the_token_may_be_in_the_environment_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LARDER_TOKEN", "secret")
    options = Options.from_mapping({}, "x")
    assert options.token == "secret"
    assert "secret" not in repr(options)
    assert Options.from_mapping({"TOKEN": "mine"}, "x").token == "mine"
    # Whoever says that there is none means it.
    assert Options.from_mapping({"TOKEN": ""}, "x").token is None
    assert Options.from_mapping({"TOKEN": None}, "x").token is None
