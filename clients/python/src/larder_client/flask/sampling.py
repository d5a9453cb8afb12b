"""Some pages of an application to look at."""

from __future__ import annotations

from werkzeug.routing import BuildError

from flask import Flask

#: How many pages are looked at without being named.
SAMPLES = 10


def paths_of(app: Flask) -> list[str]:
    """The paths of the rules that answer GET and take no arguments."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            # A GET may log out.
            if "GET" not in (rule.methods or ()) or rule.arguments or "logout" in rule.endpoint:
                continue
            try:
                found.append(app.url_for(rule.endpoint, _external=False))
            except BuildError:
                continue
    return list(dict.fromkeys(found))
