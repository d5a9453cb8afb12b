"""Flask: pages tagged by what they were made of, and purged when that changes.

    from larder_client.flask import Larder

    larder = Larder(app)

    @app.get("/products/<int:number>")
    @larder.cached("1h", swr="1m")
    def product(number): ...

`docs/flask.md` begins with nothing, and has a table of the settings.
"""

from .extension import Larder
from .settings import Settings
from .state import State

__all__ = ["Larder", "Settings", "State"]
