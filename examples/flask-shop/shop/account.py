"""Who is logged in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import LoginManager, login_required, login_user, logout_user
from sqlalchemy import select
from werkzeug.security import check_password_hash

from .models import User, db

bp = Blueprint("account", __name__)
manager = LoginManager()
manager.login_view = "account.login"


@manager.user_loader
def load(user_id):
    return db.session.get(User, int(user_id))


@bp.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        user = db.session.scalar(select(User).where(User.name == request.form.get("name", "")))
        if user and check_password_hash(user.password, request.form.get("password", "")):
            login_user(user)
            return redirect(url_for("account.account"), 303)
        flash("Wrong name or password.")
    return render_template("login.html")


@bp.post("/logout")
def logout():
    logout_user()
    return redirect(url_for("pages.index"), 303)


@bp.get("/account")
@login_required
def account():
    return render_template("account.html")
