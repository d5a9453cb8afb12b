"""`manage.py seed`: a few articles, and an editor."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from blog.models import Article


class Command(BaseCommand):
    help = "Writes three articles, and the editor `editor` with the password `editor`."

    def handle(self, *args, **options):
        for number in (1, 2, 3):
            Article.objects.get_or_create(
                title=f"Article {number}", defaults={"body": "As it was first.", "published": True}
            )
        users = get_user_model().objects
        if not users.filter(username="editor").exists():
            users.create_superuser("editor", password="editor")
        self.stdout.write("three articles, and the editor `editor` with the password `editor`")
