"""Which pages the doctor looks at without being told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path

from larder_client.django import sampling


def page(request):
    return HttpResponse("page")


def other(request):
    return HttpResponse("other")


def logout(request):
    return HttpResponse("gone")


@contextmanager
def urls(patterns: Sequence[object]) -> Iterator[None]:
    with override_settings(ROOT_URLCONF=tuple(patterns)):
        yield


def test_patterns_without_a_name_are_taken_in_their_order() -> None:
    patterns = [
        path("", page),
        path("named/", page, name="named"),
        path("news/", include([path("", other), path("a b/", page)])),
        re_path(r"^robots\.txt$", page),
        re_path(r"^about/?$", page),
    ]
    with urls(patterns):
        assert sampling.paths_of_urlconf() == [
            "/",
            "/named/",
            "/news/",
            "/news/a%20b/",
            "/robots.txt",
            "/about",
        ]


@pytest.mark.parametrize(
    "pattern",
    [
        path("things/<int:pk>/", page),
        path("<slug:lang>/", include([path("news/", page)])),
        re_path(r"^things/([0-9]+)/$", page),
        re_path(r"^page[0-9]/$", page),
        re_path(r"^year\d/$", page),
        re_path(r"^(?:a|b)/$", page),
        re_path(r"^any/.+$", page),
        path("logout/", page),
        path("bye/", logout),
    ],
)
def test_what_is_no_one_path_or_logs_out_is_left_out(pattern) -> None:
    with urls([pattern]):
        assert sampling.paths_of_urlconf() == []


def test_a_pattern_that_another_one_hides_is_left_out() -> None:
    with urls([path("<slug:name>/", other), path("hidden/", page)]):
        assert sampling.paths_of_urlconf() == []


def test_paths_begin_where_the_site_does() -> None:
    from django.urls import get_script_prefix, set_script_prefix

    before = get_script_prefix()
    set_script_prefix("/shop")
    try:
        with urls([path("news/", page), path("named/", page, name="named")]):
            assert sampling.paths_of_urlconf() == ["/shop/news/", "/shop/named/"]
    finally:
        set_script_prefix(before)
