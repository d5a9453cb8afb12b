"""What a project's own unit tests use."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from larder_site.models import Note

from larder_client.django import conf, purge
from larder_client.django.testing import LarderAssertions, override_larder

pytestmark = pytest.mark.usefixtures("databases")


class InATestCase(LarderAssertions, TestCase):
    """Its atomic block never commits."""

    def test_what_is_left_for_the_commit_is_done(self) -> None:
        assert connection.in_atomic_block
        with self.assertPurged(tags=["a", "b"], urls=["http://x/"]) as larder:
            purge("a", urls=["http://x/"])
            with transaction.atomic():
                purge("b")
            assert larder.sent == []
        assert len(larder.sent) == 2

    def test_what_is_rolled_back_purges_nothing(self) -> None:
        with self.assertNothingPurged(), transaction.atomic():
            purge("a")
            transaction.set_rollback(True)

    def test_a_purge_that_is_missing_is_named(self) -> None:
        with pytest.raises(AssertionError, match="'b'"), self.assertPurged(tags=["b"]):
            purge("a")

    def test_a_purge_too_many_is_named(self) -> None:
        with pytest.raises(AssertionError, match="'a'"), self.assertNothingPurged():
            purge("a")

    def test_the_page_of_a_post_says_it_too(self) -> None:
        with self.assertPurged(tags=["notes"]):
            self.client.post("/notes/", {"text": "x"})
        assert Note.objects.count() == 1


class InATransactionTestCase(LarderAssertions, TransactionTestCase):
    """It commits by itself."""

    def test_the_commit_is_waited_for(self) -> None:
        with self.assertPurged(tags=["a"]) as larder, transaction.atomic():
            purge("a")
            assert larder.sent == []
        User.objects.all().delete()


class WithSettings(SimpleTestCase):
    @override_larder(FORMS=False, SOFT=True, kwarg_name="larder")
    def test_settings_may_be_changed_meanwhile(self, larder) -> None:
        assert not conf.larder().forms
        assert conf.larder().proxy.soft
        assert conf.sender() is larder
        # Commands and the admin's action are recorded too.
        call_command("larder_purge", "--tag", "a", verbosity=0, stdout=StringIO())
        larder.assert_purged(tags=["a"])

    def test_afterwards_all_is_as_it_was(self) -> None:
        before = conf.larder()
        with override_larder(MAX_TAGS=3):
            assert conf.larder().proxy.max_tags == 3
        assert conf.larder() == before
