"""What a tag looks like on the wire, and what of a page's tags goes there."""

import pytest

from larder_client import Options, check_tag, wire_tag


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("shop.product:17", "shop.product:17"),
        ("/books?page=2", "/books?page=2"),
        ("new books", "new%20books"),
        ("a,b;c", "a%2Cb%3Bc"),
        ("100%", "100%25"),
        ("*", "%2A"),
        ("café", "caf%C3%A9"),
        ("a\nb\x9b", "a%0Ab%C2%9B"),
        ("\udc80", "%ED%B2%80"),
    ],
)
def test_what_a_field_gives_a_meaning_is_encoded(tag: str, written: str) -> None:
    assert check_tag(tag) == written
    assert wire_tag(tag, Options()) == written


def test_long_ones_are_hashed() -> None:
    assert check_tag("x" * 256) == "x" * 256
    short = check_tag("x" * 257)
    assert len(short) == 12
    assert short[0] == "~"
    assert short != check_tag("x" * 258)


def test_all_are_hashed_if_so_configured() -> None:
    options = Options(hash_tags=True)
    assert len(wire_tag("a", options)) == len(wire_tag("é" * 500, options)) == 11
    assert wire_tag("a", options) != wire_tag("b", options)


def test_what_is_no_tag() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        check_tag("")
    with pytest.raises(TypeError, match="a string, not 7"):
        check_tag(7)  # type: ignore[arg-type]
