"""For unit tests of a Django project: what would be purged. No proxy runs.

    class ArticleTests(LarderAssertions, TestCase):
        def test_saving_purges_the_article(self):
            with self.assertPurged(tags=["blog.article:1"]):
                Article.objects.get(pk=1).save()

`TestCase` never commits, so that `on_commit` would never run: `assertPurged` runs what its block
has left there. With pytest-django that is `django_capture_on_commit_callbacks(execute=True)`,
within `override_larder() as larder`, and then `larder.assert_purged(tags=[...])`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.test.utils import TestContextDecorator, override_settings

from larder_client.testing import Recorder

from . import conf


class override_larder(TestContextDecorator):  # as Django's override_settings
    """Has purges recorded instead of sent, with other keys in `settings.LARDER` if any are given.

    A context manager, which gives the recorder, or a decorator for a function or a test case:
    `@override_larder(FORMS=True, kwarg_name="larder")` hands it over as `larder`.
    """

    def __init__(self, *, kwarg_name: str | None = None, **keys: object) -> None:
        super().__init__(kwarg_name=kwarg_name)
        self._keys = keys

    def enable(self) -> Recorder:
        """Begins it."""
        self._undo = ExitStack()
        # Test settings may well switch sending off; recording is another thing.
        changed = {**getattr(settings, "LARDER", {}), "ENABLED": True, **self._keys}
        self._undo.enter_context(override_settings(LARDER=changed))
        recorder = Recorder(conf.read(changed).proxy)
        self._undo.enter_context(conf.stand_in(recorder))
        return recorder

    def disable(self) -> None:
        """Ends it."""
        self._undo.close()


class LarderAssertions:
    """A mixin for Django's test cases."""

    @contextmanager
    def assertPurged(
        self,
        *,
        tags: Iterable[str] = (),
        urls: Iterable[str] = (),
        paths: Iterable[str] = (),
        prefixes: Iterable[str] = (),
        hosts: Iterable[str] = (),
    ) -> Iterator[Recorder]:
        """What is done meanwhile purges all of these; it may purge others too."""
        with self._recording() as recorder:
            yield recorder
        recorder.assert_purged(tags=tags, urls=urls, paths=paths, prefixes=prefixes, hosts=hosts)

    @contextmanager
    def assertNothingPurged(self) -> Iterator[Recorder]:
        """What is done meanwhile purges nothing."""
        with self._recording() as recorder:
            yield recorder
        recorder.assert_nothing_purged()

    @contextmanager
    def _recording(self) -> Iterator[Recorder]:
        capture: Any = getattr(self, "captureOnCommitCallbacks", None)
        with ExitStack() as stack:
            recorder = stack.enter_context(override_larder())
            if capture is not None:  # A TransactionTestCase commits by itself.
                named = getattr(self, "databases", ())
                for alias in connections if named == "__all__" else named:
                    stack.enter_context(capture(using=alias, execute=True))
            yield recorder
