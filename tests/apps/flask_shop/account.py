"""Visitors: a session login by Flask-Login, and pages that are one visitor's only."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import (
    LoginManager, UserMixin, current_user, login_required, login_user, logout_user,
)
from werkzeug.security import check_password_hash

from . import db

bp = Blueprint("account", __name__)
manager = LoginManager()
manager.login_view = "account.login"


def init_app(app):
    manager.init_app(app)


class User(UserMixin):
    def __init__(self, row):
        self.id = row["id"]
        self.name = row["name"]
        self.secret = row["secret"]


@manager.user_loader
def load_user(user_id):
    row = db.get().execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return User(row) if row else None


@bp.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        row = db.get().execute(
            "SELECT * FROM users WHERE name = ?", (request.form["username"],)
        ).fetchone()
        if row and check_password_hash(row["password"], request.form["password"]):
            login_user(User(row))
            return redirect(url_for("account.account"))
        flash("Wrong name or password.")
    return render_template("login.html")


@bp.post("/logout")
def logout():
    logout_user()
    return redirect(url_for("tutorial.index"))


@bp.get("/account")
@login_required
def account():
    return render_template("account.html")


@bp.get("/whoami")
def whoami():
    name = current_user.name if current_user.is_authenticated else "nobody"
    return Response(f"{name}\n", mimetype="text/plain")
