"""How long a page may be kept."""

import doctest
import importlib
from datetime import timedelta
from typing import Any

import pytest

from larder_client import CacheControl, seconds


@pytest.mark.parametrize(
    ("duration", "number"),
    [
        (0, 0),
        (1.9, 1),
        ("0s", 0),
        ("1h30m", 5400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        (timedelta(minutes=2), 120),
        (10**12, 2**31),
        ("99999999999d", 2**31),
    ],
)
def test_durations(duration: Any, number: int) -> None:
    assert seconds(duration) == number


@pytest.mark.parametrize(
    "duration", ["", "5", "5 m", "m", "-5m", "5M", "1.5h", -1, True, None, float("inf"), []]
)
def test_what_is_no_duration(duration: Any) -> None:
    with pytest.raises(ValueError, match="ttl: .*write seconds, a timedelta, or a text"):
        seconds(duration, "ttl")


def test_fields() -> None:
    assert CacheControl(ttl="5m", swr="1m", sie=timedelta(days=1), browser_ttl=10).fields() == [
        ("Larder-Cache-Control", "max-age=300, stale-while-revalidate=60, stale-if-error=86400"),
        ("Cache-Control", "max-age=10"),
    ]


@pytest.mark.parametrize(
    "wrong", [{"swr": "x"}, {"sie": -1}, {"browser_ttl": "none"}, {"tags": "a"}]
)
def test_a_mistake_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: "):
        CacheControl(ttl=1, **wrong)


@pytest.mark.parametrize("name", ["cache_control", "purge", "tags"])
def test_examples(name: str) -> None:
    ran = doctest.testmod(importlib.import_module(f"larder_client.{name}"))
    assert ran.failed == 0
    assert ran.attempted > 0
