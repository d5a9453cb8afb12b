"""The pages of the blog."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("articles/<int:pk>/", views.article, name="article"),
    path("articles/<int:pk>/comment/", views.comment, name="comment"),
]
