"""SQLAlchemy: what pages have read, and what commits have changed.

`watch` listens to all sessions, engines and connections of the process, of threads and of asyncio.
What `larder_client.collecting` collects is then tagged with the tables and rows that are read, and
whoever watches is told the tags to purge when a transaction that changed them is committed.
`larder_client.flask` does all of it; without Flask, `watch` takes a `Sender`.
"""

from .by_hand import changed, unwatched
from .events import holding, listen, record_holding
from .models import register, register_view
from .outbox import Outbox, outbox_table
from .receivers import Receiver
from .watching import unwatch, watch

__all__ = [
    "Outbox",
    "Receiver",
    "changed",
    "holding",
    "listen",
    "outbox_table",
    "record_holding",
    "register",
    "register_view",
    "unwatch",
    "unwatched",
    "watch",
]
