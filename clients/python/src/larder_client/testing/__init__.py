"""A real larder before an application under test, and what can be asserted of it.

With pytest, the fixture `larder` is there as soon as larder-client is installed:

    def test_the_start_page_is_shared(larder):
        proxy = larder("127.0.0.1:8000", cache={"default_ttl": "60s"})
        assert_miss(proxy.get("/"))
        assert_hit(proxy.get("/"))

`Larder.start` does the same without pytest. `Recorder` is for tests that need no proxy: it keeps
what would have been purged.
"""

from .asserts import assert_hit, assert_miss, assert_not_shared, assert_purged
from .proxy import Larder, find_binary
from .recorder import Recorder
from .responses import Response

__all__ = [
    "Larder",
    "Recorder",
    "Response",
    "assert_hit",
    "assert_miss",
    "assert_not_shared",
    "assert_purged",
    "find_binary",
]
