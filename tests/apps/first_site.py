"""A first site with Flask-Login, as many are written: nothing of it can be cached.

    python first_site.py          says where it listens, and serves
    python first_site.py mended   the same with what larder's words say is to be changed
"""

import sys

from flask import Flask, make_response, session
from flask_login import LoginManager
from werkzeug.serving import make_server

MENDED = sys.argv[1:] == ["mended"]

app = Flask(__name__)
app.secret_key = "only-a-test"
login = LoginManager(app)
# Set-Cookie on each response of a permanent session, unless this is false.
app.config["SESSION_REFRESH_EACH_REQUEST"] = not MENDED


@login.user_loader
def load(_number):
    return None


@app.before_request
def remember():
    """Every visitor has a session, which is to last; mended, only who logs in."""
    if not MENDED:
        session.permanent = True
        session.setdefault("visits", 0)


@app.route("/")
@app.route("/articles/<int:number>")
def page(number=0):
    response = make_response(f"<h1>Article {number}</h1>")
    if MENDED:
        response.cache_control.max_age = 60
    return response


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
