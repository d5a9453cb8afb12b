"""A browser of few words: cookies, forms, and no redirects of its own."""

from __future__ import annotations

import http.client
import http.cookies
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlencode


@dataclass(frozen=True)
class Page:
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def is_hit(self) -> bool:
        """Whether larder had it."""
        return self.headers.get("Cache-Status", "").startswith("larder; hit")

    @property
    def cache_status(self) -> str:
        return self.headers.get("Cache-Status", "")


class Browser:
    """One visitor: what is set as a cookie is sent with the next request."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Page:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: list[tuple[str, str]]) -> Page:
        return self.ask(
            "POST",
            path,
            body=urlencode(fields),
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"http://{self.host}:{self.port}{path}",
            },
        )

    def ask(
        self, method: str, path: str, body: str | None = None, headers: dict | None = None
    ) -> Page:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Page(answer.status, answer.headers, text)

    def submit(self, path: str, form: str = "", button: str = "", **values: str) -> Page:
        """Fills in the form that stands at `path`, as it comes but for `values`, and sends it."""
        page = self.get(path)
        assert page.status == 200, f"{path}: {page.status} {page.headers.get('Location')}"
        found = [one for one in forms(page.text) if form in one.identity]
        assert found, f"{path} has no form {form!r}"
        fields = dict(found[0].fields)
        unknown = set(values) - set(fields)
        assert not unknown, f"{path} has no fields {unknown}; it has {sorted(fields)}"
        fields.update(values)
        sent = [(name, value) for name, value in fields.items() if value is not None]
        sent += [(button, "on")] if button else []
        answer = self.post(found[0].action or path, sent)
        assert answer.status in (302, 303), f"{path}: {answer.status}\n{errors(answer.text)}"
        return answer


@dataclass
class Form:
    identity: str
    action: str
    fields: list[tuple[str, str | None]]


def forms(text: str) -> list[Form]:
    parser = _Forms()
    parser.feed(text)
    return parser.forms


def errors(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "error" in line.lower())[:3000]


class _Forms(HTMLParser):
    """Collects each form's fields with what they stand at; what isn't ticked is None."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.select: str | None = None
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = dict(attrs)
        if tag == "form":
            identity = f"{got.get('id') or ''} {got.get('action') or ''} {got.get('class') or ''}"
            self.open = Form(identity, got.get("action") or "", [])
            self.forms.append(self.open)
        name = got.get("name")
        if self.open is None or (not name and tag != "option"):
            return
        if tag == "input":
            self._input(name, got)
        elif tag == "textarea":
            self.area = name
            self.open.fields.append((name, ""))
        elif tag == "select":
            self.select = name
            self.open.fields.append((name, ""))
        elif tag == "option" and self.select and "selected" in got:
            self.open.fields[-1] = (self.select, got.get("value") or "")

    def _input(self, name: str, got: dict[str, str | None]) -> None:
        kind = got.get("type", "text")
        if kind in ("submit", "button", "file", "image"):
            return
        ticked = kind not in ("checkbox", "radio") or "checked" in got
        value = got.get("value", "on" if kind == "checkbox" else "")
        self.open.fields.append((name, (value or "") if ticked else None))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area and self.open:
            name, value = self.open.fields[-1]
            self.open.fields[-1] = (name, (value or "") + data.lstrip("\n"))
