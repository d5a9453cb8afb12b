"""Where articles are written. The action of `PurgeFromCache` is rarely needed: saving purges."""

from django.contrib import admin

from larder_client.django.admin import PurgeFromCache

from .models import Article, Comment


@admin.register(Article)
class ArticleAdmin(PurgeFromCache, admin.ModelAdmin):
    list_display = ["title", "published", "changed"]


admin.site.register(Comment)
