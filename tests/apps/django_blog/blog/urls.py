from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("articles/<int:pk>/", views.article, name="article"),
    path("articles/<int:pk>/edit/", views.edit, name="edit"),
    path("api/articles/<int:pk>/", views.article_json, name="article-json"),
    path("cached/", views.cached, name="cached"),
    path("never/", views.never, name="never"),
    path("account/", views.account, name="account"),
    path("contact/", views.contact, name="contact"),
    path("newsletter/", views.newsletter, name="newsletter"),
    path("_hits/", views.read_hits, name="hits"),
]
