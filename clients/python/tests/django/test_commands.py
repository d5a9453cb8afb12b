"""`larder_purge`, `larder_warm` and `larder_doctor`, beside the real larder."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from scripted import Admin
from serving import Site, served

from larder_client import Purge
from larder_client.asking import Page
from larder_client.django import verdict
from larder_client.testing import assert_hit, assert_miss


@pytest.fixture(scope="module")
def site(larder_binary) -> Iterator[Site]:
    with served("gunicorn") as running:
        yield running


@pytest.fixture(autouse=True)
def _settings(request) -> Iterator[None]:
    if "site" not in request.fixturenames:
        yield
        return
    larder = request.getfixturevalue("site").larder
    larder.client.purge(Purge(everything=True))
    with override_settings(LARDER={"URL": larder.admin, "SITE": larder.url, "FORMS": True}):
        yield


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, no_color=True)
    return out.getvalue()


def stored(site: Site, *paths: str) -> None:
    for path in paths:
        site.larder.get(path)
        assert_hit(site.larder.get(path))


def test_purging_by_tag_and_url_says_what_it_met(site) -> None:
    stored(site, "/plain/", "/class/")
    said = run("larder_purge", "--tag", "page", "--url", f"{site.larder.url}/class/")
    assert said == (
        "2 responses forgotten\n"
        "  tag page: 1 response\n"
        f"  url {site.larder.url}/class/: 1 response\n"
    )
    assert_miss(site.larder.get("/plain/"))


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (["--path", "{url}/class/"], ["/class/", "/class/?a=1"]),
        (["--path", "/class/"], ["/class/", "/class/?a=1"]),
        (["--url", "/class/", "--url", "/plain/"], ["/class/", "/plain/"]),
        (["--prefix", "/things"], ["/things/1/", "/things/2/"]),
        (["--prefix", "{url}/things"], ["/things/1/", "/things/2/"]),
        (["--host", "{host}"], ["/class/", "/plain/"]),
        (["--all"], ["/class/", "/plain/"]),
    ],
)
def test_purging_by_everything_else(site, words, paths) -> None:
    stored(site, *paths)
    url = site.larder.url
    words = [word.format(url=url, host=url.removeprefix("http://")) for word in words]
    assert run("larder_purge", *words).startswith("2 responses forgotten\n")
    for path in paths:
        assert_miss(site.larder.get(path))


def test_a_dry_run_does_nothing(site) -> None:
    stored(site, "/plain/")
    assert run("larder_purge", "--tag", "page", "--dry-run").startswith("1 response would be")
    assert_hit(site.larder.get("/plain/"))


def test_a_soft_purge_makes_stale(site) -> None:
    stored(site, "/plain/")
    assert run("larder_purge", "--tag", "page", "--soft") == (
        "1 response made stale\n  tag page: 1 response\n"
    )


def test_purging_says_it_as_json_too(site) -> None:
    stored(site, "/plain/")
    document = json.loads(run("larder_purge", "--tag", "page", "--tag", "none", "--json"))
    assert document.pop("number") > 0
    assert document == {
        "gone": 1,
        "stale": 0,
        "counts": {"tags": {"page": 1, "none": 0}},
        "dry_run": False,
    }


def test_tags_of_any_text_are_purged(site) -> None:
    stored(site, "/things/7/")
    assert "tag new books, café: 1 response" in run("larder_purge", "--tag", "new books, café")


@pytest.mark.parametrize(
    ("larder", "words", "said"),
    [
        ({}, [], "Say what is to be forgotten: --tag, --url"),
        ({}, ["--tag", ""], "is to be a string that says something"),
        ({"URLS": 1}, ["--all"], "did you mean 'URL'"),
        ({}, ["--path", "/plain/"], "/plain/ is a path: write the whole URL"),
        ({}, ["--url", "/plain/"], "set LARDER['SITE']"),
        ({"ENABLED": False}, ["--all"], "LARDER['ENABLED'] is False"),
        ({"URL": "http://127.0.0.1:9"}, ["--all"], "Nothing was purged. larder at"),
    ],
)
def test_purging_says_what_to_do_when_it_can_not(larder, words, said) -> None:
    with override_settings(LARDER=larder), pytest.raises(CommandError) as raised:
        run("larder_purge", *words)
    assert said in str(raised.value)


def test_a_url_that_makes_no_sense_is_named(site) -> None:
    with pytest.raises(CommandError, match="Nothing was purged"):
        run("larder_purge", "--url", "nonsense")


def test_warming_stores_pages_and_says_what_was_not(site) -> None:
    said = run("larder_warm", "/plain/", "/class/", "/private/", f"{site.larder.url}/plain/")
    assert said.startswith("3 pages asked for\n       2  stored now\n       1  not stored\n")
    assert f"no-store\n          such as {site.larder.url}/private/" in said
    assert_hit(site.larder.get("/plain/"))
    assert "1  fresh in the cache already" in run("larder_warm", "/plain/")


def test_warming_by_a_sitemap(site) -> None:
    assert run("larder_warm").startswith("2 pages asked for\n       2  stored now")
    assert run("larder_warm", "--sitemap", "/sitemaps.xml").startswith("2 pages asked for")


def test_warming_a_public_url_via_larders_address(site) -> None:
    via = site.larder.url.removeprefix("http://")
    assert "1  stored now" in run("larder_warm", "http://www.example.org/plain/", "--via", via)
    assert_hit(site.larder.get("/plain/", fields={"Host": "www.example.org"}))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ftp://x/"], "1 of 1 pages could not be had"),
        (["http://127.0.0.1:9/"], "1 of 1 pages could not be had"),
        (["/failing/"], "1 of 1 pages could not be had"),
        (["--sitemap", "/plain/"], "is no sitemap"),
        (["--sitemap", "/gone.xml"], "answered with 404"),
        (["--sitemap", "/bomb.xml"], "has a document type"),
        (["/plain/", "--concurrency", "0"], "within 1 and 256"),
    ],
)
def test_warming_says_what_is_wrong(site, words, said) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("larder_warm", *words, stdout=StringIO(), stderr=StringIO())
    assert said in str(raised.value)


def test_warming_without_anything_to_ask_for() -> None:
    with override_settings(LARDER={}), pytest.raises(CommandError, match=r"set LARDER\['SITE'\]"):
        run("larder_warm")
    with override_settings(LARDER={}), pytest.raises(CommandError, match="/plain/ is a path"):
        run("larder_warm", "/plain/")


def test_warming_the_application_itself_is_noticed() -> None:
    with Admin(200, b"a page") as app:
        assert "answered past larder" in run("larder_warm", f"{app.url}/")


def test_the_doctor_finds_a_good_site_well(site) -> None:
    said = run("larder_doctor", "/plain/", "/private/", "/untouched/", "/form/")
    for title in ("Settings", "Middleware", "Cookies", "Proxy"):
        assert f"{title}\n  well: " in said
    assert f"  {site.larder.url}/plain/\n    kept, fresh for another" in said
    assert "tags: page, recorded\n" in said
    assert "/private/\n    not kept: the response says no-store" in said
    assert "/untouched/\n    kept, but the view runs each time" in said
    assert "state a lifetime by @larder_cache" in said
    assert "{% larder_csrf %} in place of {% csrf_token %}" in said


def test_a_page_without_a_lifetime_is_advised_our_decorator() -> None:
    fix = {"django": "@cache_control(max_age=60)  # or cache_page(60)"}
    reason = {"code": "no-lifetime", "sentence": "it states none", "fix": fix}
    page = Page("http://x.test/", 200, [("Cache-Status", "larder; fwd=uri-miss")], b"")
    said = verdict.lines_of(page, {"reason": reason})
    assert said[1].startswith("- have its view state a lifetime: @larder_cache(ttl=...). larder")
    assert "cache_page" not in "".join(said)


def test_the_doctor_advises_by_the_status(site) -> None:
    said = run("larder_doctor", "/missing/", "/leave/")
    assert "no validator (status 404)\n    - cache.negative_ttl in larder.toml has" in said
    assert "a redirect mostly need not be kept" in said
    out = StringIO()
    with pytest.raises(CommandError, match="One thing to mend"):
        call_command("larder_doctor", "/failing/", stdout=out, no_color=True)
    assert "/failing/\n    the app failed with 500: its log says why\n" in out.getvalue()


def test_the_doctor_looks_at_the_sitemap_and_the_urlconf(site) -> None:
    assert run("larder_doctor").count("kept, fresh") == 2
    with override_settings(LARDER={"URL": site.larder.admin, "SITE": f"{site.larder.url}"}):
        from larder_client.django import sampling

        paths = sampling.paths_of_urlconf()
    assert "/plain/" in paths
    assert "/logout/" not in paths
    assert not any(path.startswith("/admin/") for path in paths)


def test_the_doctor_names_what_is_wrong(site) -> None:
    out = StringIO()
    wrong = {
        "LARDER": {"URL": "http://127.0.0.1:9", "SITE": site.larder.url},
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
        "SESSION_COOKIE_NAME": "sid",
    }
    with override_settings(**wrong), pytest.raises(CommandError, match="3 to mend"):
        call_command("larder_doctor", stdout=out, no_color=True)
    said = out.getvalue()
    for number in ("W003", "W008", "W011"):
        assert f"larder.{number}: " in said
    assert "\nPages\n" not in said


def test_the_doctor_without_pages_says_how_to_name_some(site) -> None:
    out = StringIO()
    with override_settings(LARDER={"URL": site.larder.admin}), pytest.raises(CommandError):
        call_command("larder_doctor", stdout=out, no_color=True)
    assert "set LARDER['SITE']" in out.getvalue()


def test_the_doctor_says_that_it_has_found_no_page(site, monkeypatch) -> None:
    from larder_client import asking

    monkeypatch.setattr(asking, "sitemap", lambda *_: iter(()))
    out = StringIO()
    with override_settings(ROOT_URLCONF=()), pytest.raises(CommandError, match="One thing to mend"):
        call_command("larder_doctor", stdout=out, no_color=True)
    assert "Pages\n    no page found to look at: name some, as `larder_doctor" in out.getvalue()


def test_the_doctor_as_an_operator_runs_it(site) -> None:
    done = site.manage("larder_doctor", "/plain/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept, fresh for another" in done.stdout
