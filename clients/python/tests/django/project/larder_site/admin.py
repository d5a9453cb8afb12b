"""Notes, with the action that purges."""

from django.contrib import admin

from larder_client.django.admin import PurgeFromCache

from .models import Note


@admin.register(Note)
class NoteAdmin(PurgeFromCache, admin.ModelAdmin):
    pass
