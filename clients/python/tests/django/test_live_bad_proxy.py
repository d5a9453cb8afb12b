"""The admin port away, slow or in a bad state: no page fails, and the log says what to do."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings
from scripted import Admin
from serving import Site, Visitor, served

from larder_client import Sender
from larder_client.django import conf, purge
from larder_client.testing.waiting import wait_until


@pytest.fixture(scope="module")
def admin() -> Iterator[Admin]:
    with Admin(200, b"{}") as running:
        yield running


@pytest.fixture(scope="module")
def site(admin, larder_binary) -> Iterator[Site]:
    environment = {"SITE_LARDER": admin.url, "SITE_TIMEOUT": "0.5"}
    with served("gunicorn", environment=environment) as running:
        yield running


def publish(site: Site, text: str) -> None:
    visitor = Visitor(site.larder)
    visitor.get("/notes/")
    answer = visitor.submit(visitor.get("/form/"), "/notes/", text=text)
    assert answer.status == 302, answer.text
    # In band: that takes no admin port.
    assert text in visitor.get("/notes/").text


#: Status and body of the admin port, whether it hangs before, and what the log then says.
BAD = {
    "401": ((401, b'{"detail": "no token"}', False), "LARDER_TOKEN"),
    "403": ((403, b'{"detail": "not from here"}', False), "[[admin.tokens]]"),
    "500": ((500, b"", False), "status 500"),
    "nonsense": ((200, b"<html>nonsense", False), "admin.listen"),
    "slow": ((200, b"{}", True), "took longer than 0.5 s"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_proxy_in_a_bad_state_fails_no_page(site, admin, name) -> None:
    admin.says, _ = BAD[name]
    admin.asked.clear()
    publish(site, f"written while {name}")
    wait_until("the purge was tried", lambda: bool(admin.asked))
    assert admin.asked[0][:2] == ("POST", "/v1/purge")


@pytest.mark.parametrize("name", BAD)
def test_the_log_says_what_to_do(admin, name, caplog) -> None:
    admin.says, expected = BAD[name]
    with override_settings(LARDER={"URL": admin.url, "TIMEOUT": 0.5, "ATTEMPTS": 1}):
        purge("page")
        wait_until("it is logged", lambda: "is lost" in caplog.text, lambda: caplog.text)
    assert expected in caplog.text


def test_a_proxy_that_is_down_fails_no_page(larder_binary) -> None:
    with served("gunicorn", environment={"SITE_LARDER": "http://127.0.0.1:9"}) as site:
        publish(site, "down")
        wait_until("it is logged", lambda: "can't be reached" in site.said(), site.said)


def test_the_outbox_delivers_when_the_proxy_is_back(admin, larder_binary) -> None:
    admin.says = (500, b"", False)
    environment = {"SITE_LARDER": admin.url, "SITE_TIMEOUT": "0.5", "SITE_OUTBOX": "1"}
    with served("gunicorn", environment=environment) as site:
        site.larder.get("/notes/")
        # A process that ends while the proxy is down.
        code = "from larder_site.models import Note; Note.objects.create(text='from a shell')"
        assert site.manage("shell", "-c", code).returncode == 0
        assert "from a shell" not in site.larder.get("/notes/").text
        admin.forward = site.larder.admin
        try:
            done = site.manage("larder_outbox", "--once", "--all")
        finally:
            admin.forward = None
        assert done.returncode == 0, done.stdout + done.stderr
        assert "from a shell" in site.larder.get("/notes/").text


def test_a_server_delivers_what_was_left_in_the_outbox(monkeypatch) -> None:
    started = []
    monkeypatch.setattr(Sender, "start", lambda self: bool(started.append(self)))
    with override_settings(LARDER={"OUTBOX": True}):
        for _ in range(3):
            assert Client().get("/plain/").status_code == 200
        assert started == [conf.sender()]
    with override_settings(LARDER={}):
        assert Client().get("/plain/").status_code == 200
    assert len(started) == 1
