"""The pages, and the forms that change them."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select, update

from larder_client.flask import Larder

from .models import Product, Review, db

bp = Blueprint("pages", __name__)


@bp.get("/")
@Larder.cached("1h", swr="1m")
def index():
    products = db.session.scalars(select(Product).order_by(Product.name)).all()
    return render_template("index.html", products=products)


@bp.get("/products/<int:number>")
@Larder.cached("1h", swr="1m")
def product(number):
    return render_template("product.html", product=db.get_or_404(Product, number))


@bp.post("/products/<int:number>/reviews")
def review(number):
    found = db.get_or_404(Product, number)
    text = request.form.get("text", "").strip() or abort(400, "A review has some words.")
    found.reviews.append(Review(text=text[:500]))
    db.session.commit()
    return redirect(url_for("pages.product", number=number), 303)


@bp.route("/products/<int:number>/edit", methods=["GET", "POST"])
@login_required
def edit(number):
    found = db.get_or_404(Product, number)
    if request.method == "POST":
        found.name = request.form.get("name") or found.name
        found.cents = request.form.get("cents", found.cents, type=int)
        db.session.commit()
        return redirect(url_for("pages.product", number=number), 303)
    return render_template("edit.html", product=found)


@bp.post("/products/<int:number>/viewed")
def viewed(number):
    """Called by the page's script: pages from the cache are counted, too."""
    counted = update(Product).where(Product.id == number).values(views=Product.views + 1)
    db.session.execute(counted)
    db.session.commit()
    return "", 204
