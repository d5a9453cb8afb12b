"""Products, their reviews, and who may change them."""

import click
from flask.cli import with_appcontext
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from werkzeug.security import generate_password_hash

from larder_client.sqlalchemy import register


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Product(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    cents: Mapped[int]
    views: Mapped[int] = mapped_column(default=0)
    reviews: Mapped[list["Review"]] = relationship(back_populates="product")


class Review(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    product: Mapped[Product] = relationship(back_populates="reviews")


class User(UserMixin, db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]


# No page shows how often a product was looked at: counting it purges nothing.
register(Product, ignore_fields=["views"])


@click.command()
@with_appcontext
def fill() -> None:
    """Make the tables, with some products and the user alice (password: secret)."""
    db.create_all()
    if db.session.get(Product, 1) is None:
        names = ["Sencha", "Assam", "Oolong", "Teapot", "Mug"]
        db.session.add_all(Product(name=name, cents=490 + 100 * n) for n, name in enumerate(names))
        db.session.add(Review(text="Tastes of summer.", product_id=1))
        db.session.add(User(name="alice", password=generate_password_hash("secret")))
        db.session.commit()
