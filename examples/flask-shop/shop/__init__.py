"""A small shop behind larder: Flask, Flask-SQLAlchemy, Flask-Login."""

from flask import Flask

from larder_client.flask import Larder

from . import account, models, pages

larder = Larder()


def create_app() -> Flask:
    """The application. `FLASK_SQLALCHEMY_DATABASE_URI`, `FLASK_LARDER_URL` and the like set it up."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SESSION_COOKIE_SAMESITE="Lax",
        SQLALCHEMY_DATABASE_URI="sqlite:///shop.sqlite3",
        LARDER_SITE="http://127.0.0.1:6081",
        LARDER_OUTBOX=True,
    )
    app.config.from_prefixed_env()
    models.db.init_app(app)
    account.manager.init_app(app)
    larder.init_app(app)
    app.register_blueprint(account.bp)
    app.register_blueprint(pages.bp)
    app.cli.add_command(models.fill)
    return app
