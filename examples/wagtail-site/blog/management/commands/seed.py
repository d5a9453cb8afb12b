"""Fills the site: home, blog and posts in two languages, an author, an editor to log in as."""

from io import BytesIO

from django.contrib.auth import get_user_model
from django.core.files.images import ImageFile
from django.core.management.base import BaseCommand
from django.db import transaction
from PIL import Image as Picture
from wagtail.images.models import Image
from wagtail.models import Locale, Page, Site

from blog.models import Author, BlogIndexPage, BlogPage, Footer, HomePage


class Command(BaseCommand):
    help = "Fills an empty site. The editor is admin, with the password admin."

    def add_arguments(self, parser):
        parser.add_argument("--site", default="127.0.0.1:6081", help="host:port of visitors")

    @transaction.atomic
    def handle(self, *args, **options):
        english, _ = Locale.objects.get_or_create(language_code="en")
        french, _ = Locale.objects.get_or_create(language_code="fr")
        root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root", locale=english)
        for welcome in root.get_children():
            welcome.delete()
        root.refresh_from_db()
        home = HomePage(title="Home", slug="home", locale=english)
        root.add_child(instance=home)
        Site.objects.all().delete()
        host, port = options["site"].split(":")
        site = Site.objects.create(
            hostname=host, port=int(port), root_page=home, is_default_site=True
        )
        Footer.objects.create(site=site, text="Made with care")
        author = Author.objects.create(name="Ann")
        photo = Image.objects.create(title="Sky", file=self.picture())
        blog = BlogIndexPage(title="Blog", slug="blog", show_in_menus=True)
        home.add_child(instance=blog)
        for number in range(1, 4):
            post = BlogPage(
                title=f"Post {number}", slug=f"post-{number}", intro=f"Intro {number}",
                body=f"<p>Body {number}</p>", author=author, photo=photo,
            )
            blog.add_child(instance=post)
            post.save_revision().publish()
        for page in (home, blog, BlogPage.objects.get(slug="post-1")):
            copy = page.copy_for_translation(french, copy_parents=True)
            copy.title = f"{page.title} (fr)"
            copy.save_revision().publish()
        get_user_model().objects.create_superuser("admin", "admin@example.org", "admin")
        self.stdout.write(f"http://{host}:{port}/ to read, /admin/ to edit (admin, admin)")

    def picture(self):
        file = BytesIO()
        Picture.new("RGB", (120, 80), (90, 160, 230)).save(file, "PNG")
        file.seek(0)
        return ImageFile(file, name="sky.png")
