"""A small shop on Flask and SQLite, served to the tests by gunicorn.

Run it from `tests/apps`:

    SHOP_DB=/tmp/shop.sqlite3 python -m gunicorn flask_shop:app

Environment:
    SHOP_DB       path of the SQLite file (made and filled when missing)
    SHOP_SLOW     multiplier of every deliberate wait (default 1; 0 for none)
    LARDER_ADMIN  e.g. http://127.0.0.1:6082: tags are purged there
    LARDER_TOKEN  sent there as a bearer token
    LARDER_PROXY  e.g. 127.0.0.1:6081: URLs are purged there, with PURGE
"""

import os

from flask import Flask

from . import account, catalogue, db, files, hits, tutorial


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="only for tests",
        SESSION_COOKIE_SAMESITE="Lax",
        DATABASE=os.environ.get("SHOP_DB", "shop.sqlite3"),
        SLOW=float(os.environ.get("SHOP_SLOW", "1")),
        LARDER_ADMIN=os.environ.get("LARDER_ADMIN"),
        LARDER_TOKEN=os.environ.get("LARDER_TOKEN"),
        LARDER_PROXY=os.environ.get("LARDER_PROXY"),
    )
    db.init_app(app)
    hits.init_app(app)
    account.init_app(app)
    for pages in (account, catalogue, files, hits, tutorial):
        app.register_blueprint(pages.bp)
    return app


app = create_app()
