"""Products: lists, pages, and the form that changes them and purges what showed them."""

import time

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for

from . import db, purge

bp = Blueprint("catalogue", __name__, url_prefix="/products")


def load(product_id):
    row = db.get().execute("SELECT * FROM products WHERE id = ?", (product_id,)).fetchone()
    return row or abort(404)


@bp.get("")
def listing():
    page = max(request.args.get("page", 1, type=int), 1)
    per_page = min(max(request.args.get("per_page", 5, type=int), 1), 100)
    rows = db.get().execute(
        "SELECT * FROM products ORDER BY id LIMIT ? OFFSET ?", (per_page, (page - 1) * per_page)
    ).fetchall()
    response = make_response(
        render_template("products.html", products=rows, page=page, per_page=per_page)
    )
    response.headers["Cache-Tag"] = "product-list"
    return response


@bp.get("/<int:product_id>")
def product(product_id):
    response = make_response(render_template("product.html", product=load(product_id)))
    response.headers["Cache-Tag"] = f"product:{product_id}"
    response.cache_control.max_age = 60
    return response


@bp.route("/<int:product_id>/edit", methods=["GET", "POST"])
def edit(product_id):
    row = load(product_id)
    if request.method == "GET":
        response = make_response(render_template("edit.html", product=row))
        response.cache_control.no_store = True
        return response
    db.get().execute(
        "UPDATE products SET name = ?, price_cents = ?, revision = revision + 1, changed = ?"
        " WHERE id = ?",
        (
            request.form.get("name", row["name"]),
            request.form.get("price_cents", row["price_cents"], type=int),
            int(time.time()),
            product_id,
        ),
    )
    purge.tags(f"product:{product_id}", "product-list")
    return redirect(url_for(".product", product_id=product_id))


@bp.post("/<int:product_id>/touch")
def touch(product_id):
    """A new revision of the product, purged by its URL and not by tag."""
    load(product_id)
    db.get().execute(
        "UPDATE products SET revision = revision + 1, changed = ? WHERE id = ?",
        (int(time.time()), product_id),
    )
    page = url_for(".product", product_id=product_id)
    purge.url(request.host, page)
    return redirect(page)
