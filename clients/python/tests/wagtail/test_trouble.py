"""Fifty readers at once, and a larder that cannot be told."""

from __future__ import annotations

import threading
import time

from wagtail_browser import Browser
from wagtail_site import Site, eventually, logged_in

READERS = 50


def test_fifty_readers_never_see_what_was_before(site: Site, editor: Browser) -> None:
    (page,) = site.shell("said.append(new_post('busy/page', title='Edition 0').pk)")
    answered = [0.0]  # when each edition's publishing had been answered
    stale: list[str] = []
    done = threading.Event()

    def read() -> None:
        reader = site.visitor()
        while not done.is_set():
            edition, asked = len(answered) - 1, time.monotonic()
            text = reader.get("/en/busy/page/").text
            shown = int(text.partition("<h1>Edition ")[2].partition("<")[0])
            if shown < edition:
                stale.append(f"{shown} was shown at {asked}, {edition} published at {answered}")

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for edition in range(1, 5):
            title = f"Edition {edition}"
            editor.submit(
                f"/admin/pages/{page}/edit/", "page-edit-form", "action-publish", title=title
            )
            answered.append(time.monotonic())
            assert title in site.read("/en/busy/page/").text
            assert title in site.read("/en/busy/").text
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert stale == []


def test_a_purge_that_cannot_be_sent_is_sent_when_larder_is_back(site: Site) -> None:
    (page,) = site.shell("said.append(new_post('cut/page', title='Before').pk)")
    # Past larder, so that it doesn't learn of it by the answer either.
    editor = logged_in(site, past_larder=True)
    site.kept("/en/cut/page/", "/en/cut/")
    site.switch.down()
    try:
        editor.submit(
            f"/admin/pages/{page}/edit/", "page-edit-form", "action-publish", title="After"
        )
        assert "Before" in site.read("/en/cut/page/").text
    finally:
        site.switch.up()
    eventually(lambda: "After" in site.read("/en/cut/page/").text)
    assert "After" in site.read("/en/cut/").text


def test_a_purge_outlives_the_process_that_owes_it(site: Site) -> None:
    site.shell("new_post('owed/page', title='Before')")
    site.kept("/en/owed/page/")
    site.switch.down()
    try:
        worker = site.new_worker()
        said = site.tell(
            worker,
            """
            page = post("owed/page")
            page.title = "After"
            page.save_revision().publish()
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
            """,
        )
        assert said.readline() == ""
        worker.wait(20)
        assert "Before" in site.read("/en/owed/page/").text
        assert site.shell("said.append(PendingPurge.objects.count())") != [0]
    finally:
        site.switch.up()
    # A row is left to its own process for some seconds; that one is dead.
    site.shell("PendingPurge.objects.update(due=timezone.now())")
    eventually(lambda: "After" in site.read("/en/owed/page/").text)
    eventually(lambda: site.shell("said.append(PendingPurge.objects.count())") == [0])
