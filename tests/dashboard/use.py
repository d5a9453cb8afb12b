"""What an operator does with the dashboard."""

import re

from browser import HOST, administer, expect, visit

EVIL = "<img src=x onerror=window.pwned=1>"


def figures(dashboard):
    """The figures move with the traffic."""
    page = dashboard.live()
    expect(page.locator("#ratio-note")).to_contain_text("No requests yet")
    visit("/a")
    for _ in range(3):
        assert "hit" in visit("/a")
    expect(page.locator("#ratio")).to_have_text("75.0%")
    expect(page.locator("#requests-note")).to_have_text("4 since the start")
    expect(page.locator("#origins-note")).to_contain_text("1 since the start")
    for _ in range(6):
        visit("/a")
    expect(page.locator("#ratio")).to_have_text("90.0%")
    expect(page.locator("#requests")).not_to_have_text("0.0")
    expect(page.locator("#memory-note")).to_contain_text("1 URL")
    expect(page.locator("#latency")).to_contain_text("From the cache, median")
    expect(page.locator("#latency .figure")).to_have_text([re.compile("ms")] * 2)
    for figure in ("saved", "evicted", "sent"):
        expect(page.locator(f"#{figure}")).to_have_text(re.compile("[0-9]"))
    # Charts say what they show.
    chart = page.get_by_role("img", name=re.compile("Requests a second over the last [0-9]+.s:"))
    expect(chart).to_have_count(1)
    # It speaks of no minute before it has seen one.
    expect(page.locator("#ratio-note")).to_have_text(re.compile("^in the last [0-9]+.s; "))
    expect(page.locator("#evicted-note")).to_have_text(re.compile("in the last [0-9]+.s$"))
    expect(page.locator("#outcomes")).to_contain_text("answered from the cache")
    expect(page.locator("#upstreams")).to_contain_text("well")
    expect(page.locator("#troubles")).to_contain_text("Nothing has gone wrong")
    dashboard.shoot(page, "light")


def erring(dashboard):
    """Of an app that answers with 5xx the page does not say that it is well."""
    for number in range(6):
        visit(f"/{number}")
    page = dashboard.live()
    troubles = page.locator("#troubles")
    expect(troubles).to_contain_text("6 of 6 answers since the start")
    expect(troubles).not_to_contain_text("Nothing has gone wrong")
    expect(page.locator("#upstreams")).to_contain_text("answers with 5xx")
    expect(page.locator("#answers tbody tr")).to_have_text([re.compile("5xx.*6.*100")])
    for number in range(5):
        visit(f"/{number}")
    expect(troubles).to_contain_text(re.compile("5 of 5 answers in the last [0-9]+.s"))
    expect(troubles.locator(".mark")).to_have_attribute("data-state", "bad")


def purging(dashboard):
    """The dry run changes nothing; the purge does what the dry run has said, and is recorded."""
    dashboard.expected = ("400 (Bad Request)",)
    for path in ("/a", "/b"):
        visit(path)
    page = dashboard.live()
    form, said = page.locator("#purge-form"), page.locator("#purged")
    form.get_by_label("What to forget").select_option("tags")
    form.get_by_label("Which, one a line").fill("ta\ntb\nnone")
    form.get_by_role("button", name="Dry run").click()
    expect(said).to_contain_text("2 responses would be forgotten")
    expect(said.get_by_role("row")).to_have_count(4)
    assert "hit" in visit("/a")
    form.get_by_role("button", name="Purge").click()
    expect(said).to_contain_text("2 responses forgotten.")
    assert "hit" not in visit("/a")
    expect(page.locator("#purges")).to_contain_text("tags: ta, tb, none")
    # What others do is told as it happens; what is soft can be taken back.
    administer("POST", "/v1/purge", {"tags": ["ta"], "soft": True})
    page.get_by_role("button", name="Undo purge 2").click()
    expect(said).to_contain_text("1 response fresh again.")
    expect(page.locator("#purges")).to_contain_text("undone")
    assert "hit" in visit("/a")
    _mistakes(page, form, said)
    _everything(page, form, said)


def _mistakes(page, form, said):
    form.get_by_label("What to forget").select_option("urls")
    form.get_by_label("Which, one a line").fill("")
    form.get_by_role("button", name="Purge").click()
    expect(said).to_contain_text("Write what to forget")
    form.get_by_label("Which, one a line").fill(f"http://{HOST}/a\nno URL")
    form.get_by_role("button", name="Dry run").click()
    expect(said).to_contain_text("/urls/1")


def _everything(page, form, said):
    form.get_by_label("What to forget").select_option("all")
    expect(form.get_by_label("Which, one a line")).to_be_hidden()
    form.get_by_role("button", name="Purge").click()
    page.get_by_role("button", name="Leave it").click()
    assert "hit" in visit("/a")
    form.get_by_role("button", name="Purge").click()
    page.get_by_role("button", name="Forget everything").click()
    expect(said).to_contain_text("forgotten.")
    assert "hit" not in visit("/a")


def stored(dashboard):
    """The list is searched, sorted, and shows one response with its head."""
    for path in ("/blog/1", "/blog/2", "/blog/2", "/shop"):
        visit(path)
    visit("/blog/1", Accept_Language="de")
    page = dashboard.live()
    form, rows = page.locator("#stored-form"), page.locator("#stored-list tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("/blog/2")
    form.get_by_label("Sorted by").select_option("bytes")
    expect(rows.first).to_contain_text("/blog/1")
    form.get_by_label("Order").select_option("asc")
    expect(rows.first).to_contain_text("/shop")
    form.get_by_label("URL contains").fill("BLOG")
    form.get_by_label("URL contains").press("Enter")
    expect(rows).to_have_count(2)
    form.get_by_label("URL contains").fill("")
    form.get_by_label("Tag").fill("tshop")
    form.get_by_role("button", name="Look").click()
    expect(rows).to_have_count(1)
    form.get_by_label("Tag").fill("nothing")
    form.get_by_role("button", name="Look").click()
    expect(page.locator("#stored-note")).to_have_text("Nothing stored is like this.")
    form.get_by_label("Tag").fill("tblogt1")
    form.get_by_role("button", name="Look").click()
    _detail(dashboard, page)


def _detail(dashboard, page):
    page.get_by_role("button", name=f"http://{HOST}/blog/1", exact=True).click()
    detail = page.locator("#detail")
    expect(detail.get_by_role("heading", name="Variant 2 of 2")).to_be_visible()
    expect(detail).to_contain_text("accept-language")
    expect(detail.locator("dl.head").first).to_contain_text("max-age=60")
    dashboard.shoot(page, "detail")
    detail.get_by_role("button", name="Purge this URL").click()
    expect(detail).to_be_hidden()
    expect(page.locator("#purge-form textarea")).to_have_value(f"http://{HOST}/blog/1")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#purged")).to_contain_text("2 responses would be forgotten")


def hostile(dashboard):
    """What comes from traffic stays text, wherever it is shown."""
    visit("/%3Cimg%20src=x%20onerror=window.pwned=1%3E?a=<img/src=x>")
    visit("/evil")
    administer("POST", "/v1/purge", {"tags": [EVIL], "soft": True})
    page = dashboard.live(routes=_observed(EVIL))
    expect(page.locator("#purges")).to_contain_text(EVIL)
    row = page.get_by_role("button", name=f"http://{HOST}/evil", exact=True)
    expect(page.locator("#stored-list")).to_contain_text("<img/src=x/onerror=window.pwned=1>")
    row.click()
    expect(page.locator("#detail")).to_contain_text(EVIL)
    page.keyboard.press("Escape")
    for place in ("#reasons", "#finding-list", "#page-list"):
        expect(page.locator(place)).to_contain_text(EVIL)
    page.locator("#explain-form input").fill(f"http://{HOST}/evil")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explained")).to_contain_text(EVIL)
    assert page.locator("#explained img, #stored-list img, #detail img").count() == 0


def why(dashboard):
    """Why a page misses, what to change, and how it came to that, from larder itself."""
    for _ in range(3):
        visit("/account")
    page = dashboard.live()
    reason = page.locator("#reasons li", has_text="docs/reasons/set-cookie.md")
    expect(reason).to_contain_text("The response sets a cookie, which is for one visitor.")
    reason.get_by_text("How to change it").click()
    expect(reason.locator("pre")).to_have_text('app.config["SESSION_REFRESH_EACH_REQUEST"] = False')
    page.get_by_role("button", name=f"Explain http://{HOST}/account").click()
    said = page.locator("#explained")
    expect(said).to_contain_text("It would be stored if Set-Cookie: sessionid were absent.")
    expect(said.locator("ol")).to_contain_text("Does it set no cookie? no")
    # As another visitor would be answered.
    page.get_by_label("Fields of the request").fill("Accept-Language: de\nno field")
    dashboard.expected = ("400 (Bad Request)",)
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(said).to_contain_text("is not a field")
    dashboard.shoot(page, "light")


def observed(dashboard):
    """Reasons with their fixes, findings, costly pages, and what explaining says."""
    page = dashboard.live(routes=_observed("/account"))
    reasons = page.locator("#reasons")
    expect(reasons).to_contain_text("The response sets a cookie.")
    reasons.get_by_text("How to change it").click()
    # What is open stays open when newer figures come.
    expect(reasons.locator("details")).to_have_attribute("open", "")
    expect(reasons).to_contain_text("SESSION_REFRESH_EACH_REQUEST = False")
    findings = page.locator("#finding-list li")
    expect(findings).to_have_count(3)
    for at, word in enumerate(("Bad", "Warning", "Worth knowing")):
        expect(findings.nth(at).locator(".mark")).to_have_text(word)
    page.get_by_role("button", name="Explain /account").click()
    said = page.locator("#explained")
    expect(said).to_contain_text("Goes to the app")
    expect(said).to_contain_text("It would be stored if")
    expect(said.get_by_role("heading", name="Step by step")).to_be_visible()
    expect(page.locator("#explain-form input")).to_have_value("/account")
    dashboard.shoot(page, "light")


def _observed(text):
    fix = {"any": text, "django": "", "flask": "SESSION_REFRESH_EACH_REQUEST = False"}
    reason = {"code": "set-cookie", "sentence": "The response sets a cookie.", "requests": 9}
    reason |= {"origin_seconds": 1.5, "example": text, "fix": fix, "docs": text}
    finding = {"sentence": "Odd.", "example": text, "seen": 3, "origin_requests_a_second": 0.2}
    findings = [
        finding | {"rule": severity, "severity": severity, "fix": fix}
        for severity in ("bad", "warning", "info")
    ]
    page = {"url": text, "requests": 9, "origin_requests": 9, "origin_seconds": 1.5}
    lists = {"pages": [page], "reasons": [reason], "findings": findings}
    variant = {"selected": True, "status": 200, "fields": [["x", text]], "bytes": 1, "age": 1}
    variant |= {"ttl": 1, "hits": 1, "tags": [text], "nominated": [text], "arithmetic": [text]}
    left_out = [{"what": text, "why": text}]
    explained = {
        "request": {"method": "GET", "url": text, "key": text, "left_out": left_out},
        "outcome": {"token": "fwd=uri-miss", "sentence": "Goes to the app."},
        "reason": {"code": "set-cookie", "sentence": text, "clause": text, "docs": text},
        "steps": [{"question": text, "answer": text, "by": text}],
        "variants": [variant],
        "browser": {"sentence": text, "fresh_for": 0},
        "would": [{"sentence": "It would be stored if.", "django": text, "flask": text}],
    }
    return {"/v1/observed": {"seconds": 300, "sampled": 9} | lists, "/v1/explain": explained}
