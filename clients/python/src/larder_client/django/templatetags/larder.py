"""`{% load larder %}`: `{% larder_csrf %}` and `{% larder_nonce %}`."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode

from django import template
from larder_client.django import forms

register = template.Library()


def _request(context: Context) -> HttpRequest | None:
    found = getattr(context, "request", None) or context.get("request")
    return found if hasattr(found, "META") else None


@register.simple_tag(takes_context=True)
def larder_csrf(context: Context) -> str:
    """In a form, in place of `{% csrf_token %}`: on a cached page, larder fills in the token."""
    request = _request(context)
    if request is None:
        rendered: str = CsrfTokenNode().render(context)
        return rendered
    filled: str = forms.csrf_input(request)
    return filled


@register.simple_tag(takes_context=True)
def larder_nonce(context: Context) -> str:
    """In `<script nonce="...">`: on a cached page, larder puts a fresh one there each time."""
    request = _request(context)
    if request is None:
        raise template.TemplateSyntaxError(
            "{% larder_nonce %} needs the request: render with it, as `render(request, ...)` does"
        )
    return forms.nonce(request)
