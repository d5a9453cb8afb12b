"""What recording costs a page of 200 objects, in Flask with SQLAlchemy on SQLite.

Three processes serve the same pages: without the extension, with it, and without once more. They
take turns, so that what else the machine does meets all; the figures are the medians of ratios to
the first one. What the third differs by is chance, and what the second means is not less.

    python benches/flask_page.py            # some seconds
    python benches/flask_page.py --pairs 400
"""

import argparse
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import Any

ROWS = 200
#: Requests in one turn.
TURN = 3

TEMPLATE = """<!doctype html><title>Products</title><ul>
{% for product in products %}<li>
<a href="{{ url_for("product", number=product.id) }}">{{ product.name }}</a>
<p>{{ product.text }}</p> {{ "%.2f"|format(product.cents / 100) }}
{% if categories %}{{ product.category.name }}{% endif %}</li>
{% endfor %}</ul>"""


def application(recorded: bool) -> Any:
    """The pages: 200 objects by one statement; with 20 lazy loads; one object by its key."""
    from flask_sqlalchemy import SQLAlchemy
    from jinja2 import DictLoader
    from sqlalchemy import ForeignKey, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
    from sqlalchemy.pool import StaticPool

    from flask import Flask, render_template

    # Both have it in memory.
    from larder_client.flask import Larder

    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy(model_class=Base)

    class Category(db.Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    class Product(db.Model):
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        text: Mapped[str]
        cents: Mapped[int]
        category_id: Mapped[int] = mapped_column(ForeignKey(Category.id))
        category: Mapped[Category] = relationship()

    app = Flask(__name__)
    app.jinja_loader = DictLoader({"page.html": TEMPLATE})
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"poolclass": StaticPool}
    app.config["LARDER_ENABLED"] = False
    db.init_app(app)
    with app.app_context():
        db.create_all()
        db.session.add_all(Category(id=n, name=f"category {n}") for n in range(1, 21))
        db.session.add_all(
            Product(name=f"product {n}", text="some words " * 5, cents=n, category_id=n % 20 + 1)
            for n in range(ROWS)
        )
        db.session.commit()
    if recorded:
        Larder(app)

    def page(products: Any, categories: bool = False) -> str:
        return render_template("page.html", products=products, categories=categories)

    @app.get("/list")
    def several() -> str:
        return page(db.session.scalars(select(Product)).all())

    @app.get("/lazy")
    def lazy() -> str:
        return page(db.session.scalars(select(Product)).all(), categories=True)

    @app.get("/products/<int:number>")
    def product(number: int) -> str:
        return page([db.get_or_404(Product, number)])

    return app


def serve(pipe: Connection, recorded: bool) -> None:
    """Does a turn for each path that comes, and tells the seconds of processor time."""
    client = application(recorded).test_client()
    while path := pipe.recv():
        began = time.process_time()
        for _ in range(TURN):
            assert client.get(path).status_code == 200
        pipe.send(time.process_time() - began)


def main() -> None:
    """Prints a line for each page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=300)
    pairs = parser.parse_args().pairs
    context = multiprocessing.get_context("spawn")
    pipes = []
    for recorded in (False, True, False):
        ours, theirs = context.Pipe()
        context.Process(target=serve, args=(theirs, recorded), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    pages = {
        "/list": f"{ROWS} objects",
        "/lazy": f"{ROWS} objects, 20 lazy loads",
        "/products/7": "one object",
    }
    for path, what in pages.items():
        turns: list[list[float]] = []
        for number in range(pairs + 5):
            took = [0.0, 0.0, 0.0]
            for which in sorted(range(3), key=lambda one: (one + number) % 3):
                pipes[which].send(path)
                took[which] = pipes[which].recv() / TURN  # EOFError: the process has ended
            if number >= 5:  # the first ones fill caches
                turns.append(took)
        without = statistics.median(turn[0] for turn in turns)
        more, control = (statistics.median(t[n] / t[0] for t in turns) - 1 for n in (1, 2))
        print(  # noqa: T201
            f"{what:26} {without * 1e3:6.2f} ms without, {more:+.1%} with; {control:+.1%} by chance"
        )
    for pipe in pipes:
        pipe.send(None)


if __name__ == "__main__":
    main()
