"""Where the views are."""

from django.contrib import admin
from django.urls import path

from . import views

urlpatterns = [
    path("plain/", views.plain, name="plain"),
    path("untouched/", views.untouched, name="untouched"),
    path("things/<int:pk>/", views.by_function, name="thing"),
    path("async/", views.async_view, name="async"),
    path("class/", views.ClassView.as_view(), name="class"),
    path("async-class/", views.AsyncClassView.as_view(), name="async-class"),
    path("private/", views.private, name="private"),
    path("broken-tags/", views.broken_tags, name="broken-tags"),
    path("wrong-tags/", views.wrong_tags, name="wrong-tags"),
    path("missing/", views.missing, name="missing"),
    path("failing/", views.failing, name="failing"),
    path("late-failure/", views.late_failure),
    path("streaming/", views.streaming, name="streaming"),
    path("plain-streaming/", views.plain_streaming, name="plain-streaming"),
    path("streaming-user/", views.streaming_user, name="streaming-user"),
    path("own-tags/<int:number>/", views.own_tags, name="own-tags"),
    path("tagged-streaming/", views.tagged_streaming, name="tagged-streaming"),
    path("file/", views.file, name="file"),
    path("messages/", views.shows_messages, name="messages"),
    path("leave/", views.leaves_message, name="leave"),
    path("many/", views.many, name="many"),
    path("rename/", views.rename, name="rename"),
    path("notes/", views.notes, name="notes"),
    path("async-notes/", views.async_notes),
    path("form/", views.form, name="form"),
    path("fragment/", views.fragment, name="fragment"),
    path("script/", views.script, name="script"),
    path("logout/", views.forget_fragments, name="logout"),
    path("html/", views.html),
    path("sitemap.xml", views.sitemap),
    path("sitemap.xml.gz", views.packed_sitemap),
    path("sitemaps.xml", views.sitemap_index),
    path("bomb.xml", views.bomb),
    path("admin/", admin.site.urls),
]
