"""What the doctors say of a page."""

from __future__ import annotations

import pytest

from larder_client.asking import Page
from larder_client.verdict import Words, failure_of, lines_of

WORDS = Words(
    framework="flask",
    lifetime="@kept(ttl=...)",
    tagging="Name some.",
    missing=", and @kept(ttl=...) those of its view",
)


def page(status: int, said: str | None = "fwd=uri-miss; detail=no-lifetime") -> Page:
    fields = [("Cache-Status", f"larder; {said}")] if said else []
    return Page("http://shop.test/", status, fields, b"")


def explained(code: str, *would: str) -> dict[str, object]:
    fix = {"flask": "response.cache_control.max_age = 60"}
    reason = {"code": code, "sentence": f"of {code}", "docs": f"docs/reasons/{code}.md", "fix": fix}
    return {"reason": reason, "would": [{"code": one, "sentence": f"if {one}"} for one in would]}


def said_of(status: int, code: str = "no-lifetime", *would: str) -> str:
    return "\n".join(lines_of(page(status), explained(code, *would), WORDS))


@pytest.mark.parametrize("would", [[], ["no-lifetime"]])
def test_a_page_without_a_lifetime_is_advised_the_packages_own_decorator(would: list[str]) -> None:
    said = said_of(200, "no-lifetime", *would)
    assert said.startswith("not kept: of no-lifetime\n- have its view state a lifetime: @kept(")
    assert said.count("@kept(ttl=...)") == 1
    assert "browsers ask each time\n- or set cache.default_ttl in larder.toml, for all" in said
    assert "max_age" not in said
    assert said.endswith("- more in docs/reasons/no-lifetime.md")


def test_a_lifetime_that_is_wanted_besides_is_stated_by_the_decorator_too() -> None:
    said = said_of(200, "set-cookie", "set-cookie", "no-lifetime")
    assert "\n- if set-cookie\n- have its view state a lifetime: @kept(ttl=...)" in said
    assert "response.cache_control" in said  # what larder advises about the cookie


@pytest.mark.parametrize(
    ("status", "expected", "never"),
    [
        (404, "cache.negative_ttl in larder.toml has pages kept", "default_ttl"),
        (404, "that are not there, and @kept(ttl=...) those of its view", "max_age"),
        (410, "cache.negative_ttl", "default_ttl"),
        (302, "may state a lifetime itself: @kept(ttl=...) on its view.", "_ttl"),
        (301, "on its view. cache.default_ttl in larder.toml is for it too.", "negative"),
        (403, "an error has to state a lifetime itself", "@kept"),
    ],
)
def test_the_advice_fits_the_status(status: int, expected: str, never: str) -> None:
    said = said_of(status)
    assert f"(status {status})" in said
    assert expected in said
    assert never not in said


def test_a_failing_app_is_to_be_mended() -> None:
    assert failure_of(page(500)) == "the app failed with 500: its log says why"
    # Whatever is said of keeping it.
    assert failure_of(page(503, "hit; ttl=59")) == "the app failed with 503: its log says why"
    for status in (200, 302, 404):
        assert failure_of(page(status)) is None


def test_an_error_of_larder_is_not_called_the_apps() -> None:
    said = failure_of(page(502, "fwd=uri-miss; detail=connect"))
    assert said == "larder answered with 502: see docs/reasons/connect.md"
    assert "past larder, with 502" in (failure_of(page(502, None)) or "")


def test_errors_of_larder_are_those_of_its_documentation() -> None:
    from pathlib import Path

    from larder_client import verdict

    reasons = Path(__file__).parents[4] / "docs" / "reasons"
    failed = (reasons / "README.md").read_text().partition("## Failed")[2].partition("\n## ")[0]
    for code in verdict._OWN_ERRORS:
        assert f"`{code}`" in failed
