"""`LarderBackend` by itself, as `PurgeBatch` and Wagtail's signals use it."""

from __future__ import annotations

from wagtail_site import Site

SETTINGS = """
from wagtail.contrib.frontend_cache.utils import PurgeBatch, get_backends
from larder_client.wagtail import backend

def settings(**more):
    return {"larder": {"BACKEND": "larder_client.wagtail.LarderBackend", **more}}

def sent():
    return all(sender.flush() for sender in backend.senders())
"""


def selectors(site: Site, before: int) -> list[dict]:
    return [one["selectors"] for one in site.purges() if one["number"] > before]


def number(site: Site) -> int:
    return max((one["number"] for one in site.purges()), default=0)


def test_a_batch_is_one_request_and_a_url_is_any_query(site: Site) -> None:
    site.shell("new_post('backend/page')")
    paths = (
        "/en/backend/",
        "/en/backend/?page=2",
        "/en/backend/page/",
        "/en/blog/?x=1",
        "/en/blog/?x=2",
    )
    site.kept(*paths)
    before, base = number(site), f"http://127.0.0.1:{site.port}"
    urls = [f"{base}/en/backend/#top", f"{base}/en/backend/page/", f"{base}/en/blog/?x=1"]
    site.shell(f"""{SETTINGS}
PurgeBatch({urls}).purge(settings(LOCATION="http://127.0.0.1:{site.admin_port}"))
assert sent()
    """)
    assert [site.read(path).is_hit for path in paths] == [False, False, False, False, True]
    (sent,) = selectors(site, before)
    # Wagtail itself adds the other languages.
    assert f"127.0.0.1:{site.port}/en/backend/page/" in sent["paths"]
    assert f"127.0.0.1:{site.port}/fr/backend/page/" in sent["paths"]
    assert f"{base}/en/blog/?x=1" in sent["urls"]


def test_without_a_location_it_is_the_larder_of_the_settings(site: Site) -> None:
    before = number(site)
    site.shell(f"{SETTINGS}\nPurgeBatch(['http://h.example/a/']).purge(settings())")
    assert selectors(site, before) == [{"paths": ["h.example/a/"]}]


def test_hostnames_softness_and_a_transaction_that_fails(site: Site) -> None:
    site.kept("/en/blog/post-3/")
    before, url = number(site), f"http://127.0.0.1:{site.port}/en/blog/post-3/"
    site.shell(f"""{SETTINGS}
admin = "http://127.0.0.1:{site.admin_port}"
here = settings(LOCATION=admin, HOSTNAMES=["other.example"], SOFT=True)
PurgeBatch(["{url}"]).purge(here)
try:
    with transaction.atomic():
        PurgeBatch(["http://other.example/no/"]).purge(here)
        raise InterruptedError
except InterruptedError:
    pass
PurgeBatch(["http://other.example/yes/", "/no/host/"]).purge(here)
assert sent()
    """)
    assert selectors(site, before) == [{"paths": ["other.example/yes/"]}]
    assert site.purges()[0]["soft"] is True


def test_nothing_raises_into_an_editors_request(site: Site) -> None:
    wrong = [
        '{"LOCATION": "ftp://larder"}',
        '{"LOCATION": "http://127.0.0.1:1", "TIMEOUT": "soon"}',
        '{"LOCATION": "http://127.0.0.1:1", "TOKN": "x"}',
        '{"LOCATION": "http://127.0.0.1:1", "ATTEMPTS": 1}',
    ]
    site.shell(f"""{SETTINGS}
import time
begun = time.monotonic()
for params in ({", ".join(wrong)}):
    PurgeBatch(["http://h.example/a/"]).purge(settings(**params))
assert time.monotonic() - begun < 1
    """)


def test_checks_say_what_is_wrong_and_where(site: Site) -> None:
    said = site.shell(f"""{SETTINGS}
from django.test import override_settings
from larder_client.wagtail.checks import check_wagtail
wrong = {{"LOCATION": "ftp://larder"}}, {{"LOCATION": "http://127.0.0.1:6082", "TOKN": "x"}}
for params in (*wrong, {{}}):
    with override_settings(WAGTAILFRONTENDCACHE=settings(**params)):
        said.append([(one.id, one.msg) for one in check_wagtail(None)])
    """)
    (location,), (token,), nothing = said
    assert location[0] == token[0] == "larder_wagtail.E002"
    assert location[1].startswith("WAGTAILFRONTENDCACHE['larder']['LOCATION']: 'ftp://larder'")
    assert "TOKN" in token[1]
    assert "TOKEN" in token[1]
    assert nothing == []
