"""The admin's action, and the toolbar's panel."""

import os
import subprocess
import sys
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, TestCase, override_settings
from larder_site.models import Note
from serving import PROJECT

from larder_client import Unreachable
from larder_client.django.testing import override_larder

pytestmark = pytest.mark.usefixtures("databases")


class Action(TestCase):
    def setUp(self) -> None:
        self.notes = [Note.objects.create(text=f"note {number}") for number in range(3)]
        self.client.force_login(User.objects.create_superuser("ed", "", "ed"))

    def act(self, *notes: Note, client: Client | None = None):
        data = {"action": "purge_from_cache", "_selected_action": [note.pk for note in notes]}
        return (client or self.client).post("/admin/larder_site/note/", data, follow=True)

    def test_it_purges_the_chosen_objects(self) -> None:
        with override_larder() as larder:
            page = self.act(*self.notes[:2])
        larder.assert_purged(
            tags={"larder_site.note", *(f"larder_site.note:{n.pk}" for n in self.notes[:2])}
        )
        assert "0 pages of 2 objects purged" in page.content.decode()

    def test_of_very_many_all_rows_are_purged(self) -> None:
        with override_larder() as larder, patch("larder_client.django.admin.MOST", 1):
            self.act(*self.notes)
        larder.assert_purged(tags=["larder_site.note", "larder_site.note:rows"])

    def test_a_proxy_that_is_down_is_said_and_tried_again(self) -> None:
        with override_larder() as larder:
            larder.client.failing = Unreachable("larder can't be reached: start it")
            page = self.act(self.notes[0])
            assert "Not purged yet: larder can&#x27;t be reached: start it" in page.content.decode()
            larder.assert_purged(tags=[f"larder_site.note:{self.notes[0].pk}"])

    def test_settings_that_can_not_be_used_are_said(self) -> None:
        for wrong, said in (({"URLS": 1}, "did you mean"), ({"ENABLED": False}, "is False")):
            with override_settings(LARDER=wrong):
                page = self.act(self.notes[0])
            assert page.status_code == 200
            assert "Nothing was purged" in page.content.decode()
            assert said in page.content.decode()

    def test_only_who_may_change_the_objects_has_it(self) -> None:
        reader = User.objects.create_user("reader", "", "reader", is_staff=True)
        from django.contrib.auth.models import Permission

        reader.user_permissions.add(Permission.objects.get(codename="view_note"))
        visitor = Client()
        visitor.force_login(reader)
        assert b"purge_from_cache" not in visitor.get("/admin/larder_site/note/").content
        assert b"purge_from_cache" in self.client.get("/admin/larder_site/note/").content
        with override_larder() as larder:
            self.act(self.notes[0], client=visitor)
        larder.assert_nothing_purged()


def panel_of(path: str, method: str = "get", **fields: str):
    from django.urls import resolve

    from larder_client.django.middleware import LarderMiddleware
    from larder_client.django.panel import LarderPanel

    def view(request):
        match = resolve(request.path)
        return match.func(request, *match.args, **match.kwargs)

    class Stats(LarderPanel):
        def __init__(self) -> None:
            self.stats: dict[str, object] = {}

        def record_stats(self, stats) -> None:
            self.stats = stats

        def get_stats(self):
            return self.stats

    request = getattr(RequestFactory(headers=fields), method)(path)
    panel = Stats()
    panel.generate_stats(request, LarderMiddleware(view)(request))
    return panel


def test_the_panel_shows_what_the_middleware_found() -> None:
    panel = panel_of("/plain/")
    assert panel.nav_subtitle == "2 tags, 0 purged"
    assert panel.stats["tags"] == ["page", "recorded"]
    assert "ttl='5m'" in panel.stats["set"]
    assert ("Cache-Tag", "page,recorded") in panel.stats["told"]


def test_the_panel_shows_what_was_purged_and_what_is_not_kept() -> None:
    purged = panel_of("/rename/", "post")
    assert purged.stats["purged"] == ["list", "page"]
    assert purged.nav_subtitle == "0 tags, 2 purged"
    kept_not = panel_of("/private/")
    assert "no-store" in kept_not.stats["refusals"][0]


def test_the_panel_does_not_show_placeholders() -> None:
    told = dict(panel_of("/form/", **{"Larder-Fill": "csrf"}).stats["told"])
    assert told["Larder-Fill"].startswith('csrf="...";cookie="csrftoken"')


def test_the_panel_is_rendered() -> None:
    from django.template.loader import render_to_string

    html = render_to_string("larder_client/panel.html", panel_of("/plain/").stats)
    assert "<code>recorded</code>" in html
    assert "is not in MIDDLEWARE" in render_to_string("larder_client/panel.html", {})


def test_without_the_middleware_the_panel_says_so() -> None:
    panel = panel_of("/plain/")
    panel.generate_stats(RequestFactory().get("/"), None)
    assert panel.nav_subtitle == "LarderMiddleware is missing"


def test_the_toolbar_itself_shows_the_panel() -> None:
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "page = Client().get('/html/').content.decode()\n"
        "assert 'LarderPanel' in page and '1 tag, 0 purged' in page, page\n"
    )
    own = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "larder_site.toolbar_settings",
        "PYTHONPATH": str(PROJECT),
    }
    done = subprocess.run([sys.executable, "-c", code], env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
