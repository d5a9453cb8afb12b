"""The pages of the blog."""

from django.contrib.sitemaps import Sitemap

from .models import Article


class ArticleSitemap(Sitemap):
    def items(self):
        return Article.objects.filter(published=True)

    def lastmod(self, article):
        return article.changed
