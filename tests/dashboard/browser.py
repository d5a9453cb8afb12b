"""Chromium in front of a larder's dashboard. What it complains of fails the scenario."""

import http.client
import json
import os
import shutil
from functools import partial
from urllib.parse import urlsplit

from playwright.sync_api import expect, sync_playwright

ADMIN = os.environ["ADMIN"]
PROXY = os.environ["PROXY"]
HOST = "www.example.org"

expect.set_options(timeout=15_000)

# Collects what the page's policy has refused.
LISTEN = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => {
    refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


def visit(path, **fields):
    """Asks the proxy for a path; returns what larder says that it did."""
    connection = http.client.HTTPConnection(PROXY, timeout=15)
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    connection.request("GET", path, headers={"Host": HOST, **named})
    answer = connection.getresponse()
    answer.read()
    return answer.getheader("Cache-Status", "")


def administer(method, path, document=None):
    """Asks the admin port as a script does."""
    connection = http.client.HTTPConnection(ADMIN, timeout=15)
    connection.request(method, path, json.dumps(document) if document is not None else None)
    return json.loads(connection.getresponse().read())


class Dashboard:
    """A browser, and the pages that a scenario opens in it."""

    def __init__(self, name):
        self.name = name
        self.errors = []
        self.pages = []
        # What a scenario expects to be complained of.
        self.expected = ()

    def __enter__(self):
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        assert program, "no Chromium: run scripts/setup-tests"
        self.playwright = sync_playwright().start()
        # Chromium's sandbox is not for root, who runs tests in containers.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.browser = self.playwright.chromium.launch(executable_path=program, args=arguments)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            for page in self.pages:
                assert page.evaluate("refused") == [], page.evaluate("refused")
                assert page.evaluate("window.pwned") is None
                assert page.locator("img, iframe, script:not([src])").count() == 0
        self.browser.close()
        self.playwright.stop()
        if kind is None:
            assert self.errors == [], "\n".join(self.errors)

    def open(self, scheme="light", width=1280, height=900, routes=None, **options):
        """Opens the dashboard; `routes` are answers in larder's place, by the end of their path."""
        size = {"width": width, "height": height}
        context = self.browser.new_context(color_scheme=scheme, viewport=size, **options)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("request", lambda request: self._watch(request.url))
        page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        page.add_init_script(LISTEN)
        if routes:
            page.route("**/openapi.json", lambda route: _with_paths(route, routes))
        for path, document in (routes or {}).items():
            page.route(f"**{path}*", partial(_fulfill, document))
        self.pages.append(page)
        page.goto(f"http://{ADMIN}/")
        return page

    def live(self, **options):
        """Opens the dashboard, and waits for the first figures."""
        page = self.open(**options)
        expect(page.locator("#connection")).to_have_text("Live")
        return page

    def shoot(self, page, name):
        """Takes a picture of all of the page."""
        folder = os.environ["SHOTS"]
        os.makedirs(folder, exist_ok=True)
        page.screenshot(path=f"{folder}/{self.name}-{name}.png", full_page=True)

    def _hear(self, kind, text):
        if kind in ("error", "warning") and not any(part in text for part in self.expected):
            self.errors.append(f"console: {kind}: {text}")

    def _watch(self, url):
        if urlsplit(url).netloc != ADMIN:
            self.errors.append(f"a request to elsewhere: {url}")


def _fulfill(document, route):
    route.fulfill(status=200, json=document)


def _with_paths(route, paths):
    answer = route.fetch()
    document = answer.json()
    document["paths"].update({path: {} for path in paths})
    route.fulfill(response=answer, json=document)
