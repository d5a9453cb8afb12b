"""The site: the blog, the admin, and a sitemap for `larder_warm` and `larder_doctor`."""

from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path

from blog.sitemaps import ArticleSitemap

urlpatterns = [
    path("admin/", admin.site.urls),
    path("sitemap.xml", sitemap, {"sitemaps": {"articles": ArticleSitemap}}),
    path("", include("blog.urls")),
]
