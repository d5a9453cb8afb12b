from django.core.paginator import Paginator
from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.settings.models import BaseSiteSetting, register_setting
from wagtail.fields import RichTextField
from wagtail.models import DraftStateMixin, Page, PreviewableMixin, RevisionMixin
from wagtail.snippets.models import register_snippet


@register_snippet
class Author(DraftStateMixin, RevisionMixin, PreviewableMixin, models.Model):
    name = models.CharField(max_length=80)

    panels = [FieldPanel("name")]

    def __str__(self):
        return self.name

    def get_preview_template(self, request, mode_name):
        return "blog/author.html"


@register_setting
class Footer(BaseSiteSetting):
    text = models.CharField(max_length=200, blank=True)

    panels = [FieldPanel("text")]


class HomePage(Page):
    """Shows the newest posts of the whole site."""

    subpage_types = ["blog.BlogIndexPage"]

    def newest(self):
        return BlogPage.objects.descendant_of(self).live().order_by("-first_published_at")[:3]


class BlogIndexPage(Page):
    """Lists its posts, in the order that editors gave them, five on a page."""

    subpage_types = ["blog.BlogPage"]

    def get_context(self, request, *args, **kwargs):
        context = super().get_context(request, *args, **kwargs)
        posts = BlogPage.objects.child_of(self).live().order_by("path")
        context["posts"] = Paginator(posts, 5).get_page(request.GET.get("page"))
        return context


class BlogPage(Page):
    intro = models.CharField(max_length=250, blank=True)
    body = RichTextField(blank=True)
    author = models.ForeignKey(
        Author, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    photo = models.ForeignKey(
        "wagtailimages.Image", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    read_next = models.ForeignKey(
        "blog.BlogPage", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    parent_page_types = ["blog.BlogIndexPage"]
    content_panels = [
        *Page.content_panels,
        FieldPanel("intro"),
        FieldPanel("body"),
        FieldPanel("author"),
        FieldPanel("photo"),
        FieldPanel("read_next"),
    ]
