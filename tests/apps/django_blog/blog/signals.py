"""When an article has changed, and the change is committed, the cache is told."""

from functools import partial

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.urls import reverse

from .models import Article
from .purge import purge


@receiver([post_save, post_delete], sender=Article)
def article_changed(sender, instance, raw=False, **kwargs):
    if raw:  # a fixture being loaded
        return
    pk = instance.pk
    transaction.on_commit(
        partial(
            purge,
            tags=[f"article:{pk}", "article-list"],
            paths=[
                instance.get_absolute_url(),
                reverse("article-json", args=[pk]),
                reverse("index"),
            ],
        )
    )
