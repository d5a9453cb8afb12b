"""larder for Wagtail: put `larder_client.django` and `larder_client.wagtail` into INSTALLED_APPS.

docs/wagtail.md goes from nothing to a correct cache.
"""

from larder_client.wagtail.backend import LarderBackend

__all__ = ["LarderBackend"]
