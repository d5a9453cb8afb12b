"""larder's client: what pages are made of, and forgetting them when that changes.

`Purge`, `Client` and `Sender` have things forgotten; `collecting`, `record` and `emit` tag
responses with what they were made of; `CacheControl` says how long they may be kept. The
frameworks' doors are `larder_client.django`, `.flask` and `.wagtail`, and `larder_client.testing`
starts a real larder before an application under test.
"""

from .cache_control import CacheControl, Duration, seconds
from .client import Client
from .collected import (
    Collected,
    collecting,
    current,
    list_tag,
    record,
    row_key,
    row_tag,
)
from .emit import (
    GROUPS_FIELD,
    INVALIDATION_FIELD,
    PURGE_FIELD,
    TAG_FIELD,
    emit,
    invalidation,
)
from .errors import ConfigurationError, LarderError, Overloaded, Refused, Unreachable
from .options import Options
from .outbox import Outbox
from .purge import Purge, Purged
from .sender import Sender
from .tags import check_tag, tag_hash, wire_tag

__version__ = "0.1.0"

__all__ = [
    "GROUPS_FIELD",
    "INVALIDATION_FIELD",
    "PURGE_FIELD",
    "TAG_FIELD",
    "CacheControl",
    "Client",
    "Collected",
    "ConfigurationError",
    "Duration",
    "LarderError",
    "Options",
    "Outbox",
    "Overloaded",
    "Purge",
    "Purged",
    "Refused",
    "Sender",
    "Unreachable",
    "check_tag",
    "collecting",
    "current",
    "emit",
    "invalidation",
    "list_tag",
    "record",
    "row_key",
    "row_tag",
    "seconds",
    "tag_hash",
    "wire_tag",
]
