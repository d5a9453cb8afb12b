"""Models of every kind that the ORM has."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models

import django


class Reader(AbstractUser):
    """A swapped user model."""


class Author(models.Model):
    name = models.CharField(max_length=50)
    visits = models.IntegerField(default=0)


class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    text = models.CharField(max_length=50)


class Tag(models.Model):
    name = models.CharField(max_length=50)


class Note(models.Model):
    kind = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.IntegerField()
    about = GenericForeignKey("kind", "object_id")
    text = models.CharField(max_length=50)


class Article(models.Model):
    title = models.CharField(max_length=50)
    slug = models.SlugField(unique=True, null=True)
    author = models.ForeignKey(Author, models.CASCADE, related_name="articles")
    second = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="+")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="parts")
    tags = models.ManyToManyField(Tag, related_name="articles")
    notes = GenericRelation(Note, content_type_field="kind")
    published = models.BooleanField(default=True)
    views = models.IntegerField(default=0)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ("title",)


class Brief(Article):
    """An article under another name."""

    class Meta:
        proxy = True


class Comment(models.Model):
    article = models.ForeignKey(Article, models.CASCADE, related_name="comments")
    text = models.CharField(max_length=50)
    likes = models.IntegerField(default=0)


class Place(models.Model):
    name = models.CharField(max_length=50)


class Restaurant(Place):
    stars = models.IntegerField(default=0)


class Pub(Restaurant):
    beers = models.IntegerField(default=0)


class Cinema(Place):
    seats = models.IntegerField(default=0)


class Owned(models.Model):
    owned_id = models.AutoField(primary_key=True)
    owner = models.CharField(max_length=50)


class Boat(Place, Owned):
    """Inherits from two tables: the key of the second parent is another."""

    knots = models.IntegerField(default=0)


class Ticket(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    text = models.CharField(max_length=50)


class Country(models.Model):
    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=50)


class Listing(models.Model):
    """A view: it has no key of its own, and Django is told that one column is it."""

    title = models.CharField(max_length=50, primary_key=True)
    author_name = models.CharField(max_length=50)

    class Meta:
        managed = False
        db_table = "shelf_listing"


class Log(models.Model):
    """Left out by `LARDER["IGNORE_MODELS"]` in a test."""

    text = models.CharField(max_length=50)


if django.VERSION >= (5, 2):

    class Seat(models.Model):
        pk = models.CompositePrimaryKey("row", "number")
        row = models.CharField(max_length=2)
        number = models.IntegerField()
        guest = models.CharField(max_length=50)


if django.VERSION >= (6, 1):

    class Shard(models.Model):
        """Goes with its place, without Django seeing it."""

        place = models.ForeignKey(Place, models.DB_CASCADE)
        text = models.CharField(max_length=50)
