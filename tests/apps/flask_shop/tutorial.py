"""The pages that every caching tutorial shows: slow ones, and one for each kind of freshness."""

import time
from datetime import datetime, timedelta, timezone

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request

from . import db

bp = Blueprint("tutorial", __name__)
GREETINGS = {"en": "Good morning", "fr": "Bonjour", "de": "Guten Morgen"}


def work(seconds):
    """Stands for the query or the remote call that makes a page slow."""
    time.sleep(seconds * current_app.config["SLOW"])


def prices():
    rows = db.get().execute("SELECT name, price_cents FROM products ORDER BY id")
    return [dict(row) for row in rows]


@bp.get("/")
def index():
    """Two seconds of work, and not a word about caching: what most apps do."""
    work(2)
    return render_template("index.html", prices=prices())


@bp.get("/static-content")
def static_content():
    text = "From 8 to 18."
    response = make_response(render_template("page.html", title="Opening hours", text=text))
    response.cache_control.public = True
    response.cache_control.max_age = 3600
    response.expires = datetime.now(timezone.utc) + timedelta(hours=1)
    return response


@bp.get("/dynamic-content")
def dynamic_content():
    """May be kept, but asked about each time: validated by its date."""
    changed = db.get().execute("SELECT max(changed) FROM products").fetchone()[0]
    text = ", ".join(f"{p['name']} {p['price_cents']}" for p in prices())
    response = make_response(render_template("page.html", title="Prices now", text=text))
    response.cache_control.no_cache = True
    response.cache_control.must_revalidate = True
    response.last_modified = datetime.fromtimestamp(changed, timezone.utc)
    return response.make_conditional(request)


@bp.get("/conditional-content")
def conditional_content():
    """Five minutes fresh, then validated by a hash of the text."""
    text = "".join(f"{p['name']}: {p['price_cents']}\n" for p in prices())
    response = Response(text, mimetype="text/plain")
    response.cache_control.public = True
    response.cache_control.max_age = 300
    response.add_etag()
    return response.make_conditional(request)


@bp.get("/api/data")
def data():
    work(1)
    response = jsonify(products=prices(), computed=time.time())
    response.cache_control.max_age = 60
    return response


@bp.get("/vary")
def vary():
    language = request.accept_languages.best_match(GREETINGS, default="en")
    response = Response(f"{GREETINGS[language]}\n", mimetype="text/plain")
    response.content_language.add(language)
    response.vary.add("Accept-Language")
    response.cache_control.public = True
    response.cache_control.max_age = 60
    return response
