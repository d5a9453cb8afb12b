"""Tokens, and a larder that does not answer."""

import os
import signal

from browser import ADMIN, expect


def token(dashboard):
    """A token is asked for, kept by this tab alone, and sent as a field."""
    dashboard.expected = ("401 (Unauthorized)",)
    page = dashboard.open()
    asked = page.get_by_role("dialog", name="A token is needed")
    expect(asked).to_be_visible()
    expect(page.locator("#connection")).to_have_text("A token is needed")
    page.keyboard.press("Escape")
    expect(asked).to_be_visible()
    expect(asked.get_by_label("Token")).to_be_focused()
    dashboard.shoot(page, "asked")
    asked.get_by_label("Token").fill("guess")
    page.keyboard.press("Enter")
    expect(asked.get_by_role("alert")).to_contain_text("wrong")
    asked.get_by_label("Token").fill("s\u00e4cret")
    page.keyboard.press("Enter")
    expect(asked.get_by_role("alert")).to_contain_text("ASCII")
    asked.get_by_label("Token").fill("secret")
    page.keyboard.press("Enter")
    expect(asked).to_be_hidden()
    expect(page.locator("#connection")).to_have_text("Live")
    assert page.evaluate("Object.values(sessionStorage)") == ["secret"]
    assert page.evaluate("localStorage.length") == 0 and page.context.cookies() == []
    assert page.url == f"http://{ADMIN}/"
    page.reload()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(asked).to_be_hidden()
    # Another tab has to be told.
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("dialog", name="A token is needed")).to_be_visible()


def scope(dashboard):
    """A token that may only purge is told so, and purges."""
    dashboard.expected = ("401 (Unauthorized)", "403 (Forbidden)")
    page = dashboard.open()
    page.get_by_label("Token", exact=True).fill("secret-tags")
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("This token may not look")
    page.get_by_label("What to forget").select_option("tags")
    page.get_by_label("Which, one a line").fill("ta")
    page.get_by_role("button", name="Purge", exact=True).click()
    expect(page.locator("#purged")).to_contain_text("1 response forgotten.")


def lost(dashboard):
    """A connection that is lost is said to be, and found again."""
    dashboard.expected = ("ERR_",)
    page = dashboard.live()
    os.kill(int(os.environ["PID"]), signal.SIGSTOP)
    expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
    dashboard.shoot(page, "lost")
    os.kill(int(os.environ["PID"]), signal.SIGCONT)
    expect(page.locator("#connection")).to_have_text("Live", timeout=25_000)
