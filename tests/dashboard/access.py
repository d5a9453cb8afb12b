"""Who can use it: by keyboard, by a screen reader, in the dark, on a phone."""

from browser import HOST, administer, expect, visit
from use import _observed

FOCUSABLE = "a[href], button, input, select, textarea, summary"

# What has the focus, as its place among all that can have it; and whether one sees that.
FOCUSED = """
(selector) => {
    const all = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    const at = all.indexOf(document.activeElement);
    const style = getComputedStyle(document.activeElement);
    return [at, at < 0 || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)];
}
"""

# Texts whose colour is too near to what lies behind them.
FAINT = """
() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const parse = (text) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = text;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].reduce((sum, part, at) => {
        const c = part / 255;
        const linear = c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        return sum + linear * [0.2126, 0.7152, 0.0722][at];
    }, 0);
    const behind = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = parse(getComputedStyle(one).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        throw new Error("nothing lies behind it");
    };
    const faint = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let seen = 0;
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
        seen += 1;
        const [one, other] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${walk.currentNode.data.trim()}`);
    }
    return [seen, faint];
}
"""

NAMED = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "table", "dialog"}


def _full(dashboard, **options):
    """A page on which everything is shown that there is."""
    for path in ("/a", "/a", f"/{'long' * 80}"):
        visit(path)
    administer("POST", "/v1/purge", {"tags": ["ta"], "soft": True})
    page = dashboard.live(routes=_observed("/account"), **options)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("#explain-form input").fill(f"http://{HOST}/a")
    page.get_by_role("button", name="Explain", exact=True).click()
    page.get_by_label("What to forget").select_option("tags")
    page.get_by_label("Which, one a line").fill(f"ta\n{'tag' * 80}")
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator("#purged")).to_contain_text("would be forgotten")
    expect(page.locator("#explained")).to_contain_text("Step by step")
    expect(page.locator("#stored-list tbody tr")).to_have_count(2)
    expect(page.locator("#ratio")).not_to_have_text("\u2013")
    return page


def keyboard(dashboard):
    """Tab reaches all that can be used, in order, and one sees where it is."""
    page = _full(dashboard)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    # From the top: what was clicked last is where Tab would go on.
    page.locator("h1").click()
    page.evaluate("getSelection().removeAllRanges()")
    page.keyboard.press("Shift+Tab")
    wanted = page.evaluate(
        "(selector) => [...document.querySelectorAll(selector)]"
        ".filter((one) => one.checkVisibility()).length",
        FOCUSABLE,
    )
    assert wanted > 30, wanted
    reached = []
    for _ in range(wanted):
        at, is_seen = page.evaluate(FOCUSED, FOCUSABLE)
        assert is_seen, f"the focus of {at} is not seen"
        reached.append(at)
        page.keyboard.press("Tab")
    assert reached == list(range(wanted)), reached
    # A dialog takes the focus, and gives it back.
    row = page.get_by_role("button", name=f"http://{HOST}/a", exact=True)
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog')?.id") == "detail"
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(row).to_be_focused()


def names(dashboard):
    """Whatever can be used has a name; headings are in order; tables have captions."""
    page = _full(dashboard)
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    shown = [node for node in tree if not node.get("ignored")]
    roles = [node["role"]["value"] for node in shown]
    for node in shown:
        name = node.get("name", {}).get("value", "").strip()
        assert name or node["role"]["value"] not in NAMED, f"no name: {node}"
    for role in ("banner", "main", "navigation", "search", "status"):
        assert role in roles, f"no {role}: {sorted(set(roles))}"
    for role, least in (("row", 8), ("columnheader", 8), ("rowheader", 3), ("listitem", 4)):
        assert roles.count(role) >= least, f"{roles.count(role)} of {role}"
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]"
        ".filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1, levels
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels
    assert page.locator("table:not(:has(> caption))").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"
    # What moves each second is not read aloud each second.
    assert page.locator("#now [aria-live], #now [role=status], #now [role=alert]").count() == 0


def colours(dashboard):
    """In light and in dark, every text stands out; no state is told by its colour alone."""
    for scheme in ("light", "dark"):
        page = _full(dashboard, scheme=scheme)
        seen, faint = page.evaluate(FAINT)
        assert seen > 100 and faint == [], f"{scheme}: {seen}: {faint}"
        assert page.locator(".mark:empty:not([hidden])").count() == 0
        dashboard.shoot(page, scheme)
        page.get_by_role("button", name=f"http://{HOST}/a", exact=True).click()
        expect(page.locator("#detail-body .variant")).to_have_count(1)
        _, faint = page.evaluate(FAINT)
        assert faint == [], f"{scheme}: {faint}"
        page.keyboard.press("Escape")


def phone(dashboard):
    """On a narrow screen nothing lies outside, and nothing moves for who wants it still."""
    for width in (320, 375, 768):
        page = _full(dashboard, width=width, height=700, reduced_motion="reduce")
        inside = page.evaluate("document.documentElement.scrollWidth")
        assert inside <= width, f"{inside} of {width}"
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
        # A row that has become a block is still a row.
        expect(page.locator("#stored-list").get_by_role("row")).to_have_count(3)
        dashboard.shoot(page, f"{width}")
        page.get_by_role("button", name=f"http://{HOST}/a", exact=True).click()
        box = page.locator("#detail").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, box
