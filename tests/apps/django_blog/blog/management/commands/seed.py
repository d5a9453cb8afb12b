from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from blog.models import Article, Profile

ARTICLES = [
    ("On bread", "Flour, water, salt, time."),
    ("On jam", "As much sugar as fruit, and a clean jar."),
    ("On pickles", "Vinegar keeps what the sun would spoil."),
]


class Command(BaseCommand):
    help = "Makes the users alice and bob and three articles, where they are missing"

    def handle(self, *args, **options):
        for name in ["alice", "bob"]:
            user, new = get_user_model().objects.get_or_create(username=name)
            if new:
                user.set_password(f"secret-{name}")
                user.save()
            Profile.objects.get_or_create(user=user)
        for pk, (title, text) in enumerate(ARTICLES, 1):
            Article.objects.get_or_create(pk=pk, defaults={"title": title, "text": text})
        self.stdout.write("seeded: alice, bob and three articles")
