"""Which views are `cached` in vain."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import Any

import pytest
from flask.views import MethodView

from flask import Blueprint, Flask
from larder_client.flask import Larder
from larder_client.flask.routed import past_cached


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


def names(app: Flask) -> list[str]:
    gc.collect()
    return [name.rpartition(".")[2] for name in past_cached(app)]


def checked(view: Callable[..., Any]) -> Callable[..., Any]:
    """As `login_required`."""

    @functools.wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return inner


def test_a_decorator_above_the_route_is_in_vain(app: Flask) -> None:
    pages = Blueprint("pages", __name__)

    @Larder.cached("1h")
    @app.get("/a")
    def plain() -> str:
        return ""

    @Larder.cached("1h")
    @pages.get("/b")
    async def of_a_blueprint() -> str:
        return ""

    @Larder.cached("1h")
    @app.get("/c")
    @checked
    def behind_another() -> str:
        return ""

    # What was made of them is gone, as where a function makes the application.
    del plain, of_a_blueprint, behind_another
    app.register_blueprint(pages)
    assert names(app) == ["plain", "behind_another", "of_a_blueprint"]


def test_a_decorator_below_the_route_is_well(app: Flask) -> None:
    @app.get("/a")
    @app.get("/b", endpoint="b")
    @Larder.cached("1h")
    def plain() -> str:
        return ""

    @app.get("/c")
    @checked
    @Larder.cached("1h")
    def behind_another() -> str:
        return ""

    @app.get("/d")
    @Larder.cached("1h")
    @checked
    def before_another() -> str:
        return ""

    class Page(MethodView):
        decorators = (Larder.cached("1h"),)

        @Larder.cached("1h")
        def get(self) -> str:
            return ""

    app.add_url_rule("/e", view_func=Page.as_view("page"))
    app.add_url_rule("/f", "partial", Larder.cached("1h")(functools.partial(str, "f")))
    assert names(app) == []


def test_a_view_that_is_kept_at_one_of_its_routes_is_meant_so(app: Flask) -> None:
    def plain() -> str:
        return ""

    app.add_url_rule("/a", "a", plain)
    app.add_url_rule("/b", "b", Larder.cached("1h")(plain))
    assert names(app) == []
