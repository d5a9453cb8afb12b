import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse


def new_secret():
    return secrets.token_hex(16)


class Article(models.Model):
    title = models.CharField(max_length=200)
    text = models.TextField()
    changed = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("article", args=[self.pk])


class Profile(models.Model):
    """What only its owner may see: were it ever seen elsewhere, a cache has leaked."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    secret = models.CharField(max_length=32, default=new_secret)

    def __str__(self):
        return f"profile of {self.user}"


class Hits(models.Model):
    """How often a page was computed, by all gunicorn workers together."""

    path = models.CharField(max_length=500, primary_key=True)
    n = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"{self.path}: {self.n}"
