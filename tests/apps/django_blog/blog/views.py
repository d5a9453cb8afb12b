from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.http import etag, require_safe

from . import hits
from .filled import Fill
from .forms import ArticleForm, ContactForm
from .hits import counted
from .models import Article, Profile


def plain(text):
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
@counted
def index(request):
    articles = Article.objects.order_by("pk")
    response = render(request, "blog/index.html", {"articles": articles})
    response.headers["Cache-Tag"] = "article-list"
    return response


@require_safe
@counted
def article(request, pk):
    """Says nothing on freshness; the greeting in its template makes it `Vary: Cookie`."""
    found = get_object_or_404(Article, pk=pk)
    response = render(request, "blog/article.html", {"article": found})
    response.headers["Cache-Tag"] = f"article:{pk}"
    return response


@login_required
@counted
@transaction.atomic
def edit(request, pk):
    """Saved in a transaction: the purge waits for its commit (see `signals`)."""
    found = get_object_or_404(Article, pk=pk)
    form = ArticleForm(request.POST or None, instance=found)
    if form.is_valid():
        form.save()
        messages.success(request, f"“{found.title}” is saved.")
        return redirect(found)
    return render(request, "blog/form.html", {"form": form, "heading": f"Edit “{found.title}”"})


def article_etag(request, pk):
    changed = Article.objects.filter(pk=pk).values_list("changed", flat=True).first()
    return changed and f'"{pk}-{changed.timestamp():.6f}"'


@require_safe
@etag(article_etag)
@counted
def article_json(request, pk):
    """Validated before it is computed: a 304 costs one small query."""
    found = get_object_or_404(Article, pk=pk)
    response = JsonResponse({"id": pk, "title": found.title, "text": found.text})
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Cache-Tag"] = f"article:{pk}"
    return response


@require_safe
@cache_page(60)
@counted
def cached(request):
    """Kept for a minute by Django itself (each worker its own), and so it says to others."""
    return plain(f"Computed at {timezone.now():%H:%M:%S.%f}.\n")


@require_safe
@never_cache
@counted
def never(request):
    return plain(f"It is {timezone.now():%H:%M:%S.%f}.\n")


@require_safe
@login_required
@counted
def account(request):
    profile = get_object_or_404(Profile, user=request.user)
    return render(request, "blog/account.html", {"profile": profile})


@counted
def contact(request):
    """A form for anonymous visitors: its CSRF token makes a cookie on every answer."""
    form = ContactForm(request.POST or None)
    if form.is_valid():
        messages.success(request, f"Thank you, {form.cleaned_data['name']}.")
        return redirect("contact")
    return render(request, "blog/form.html", {"form": form, "heading": "Write to us"})


@counted
def newsletter(request):
    """A form on a page for everybody: larder fills in each visitor's token."""
    form = ContactForm(request.POST or None)
    if form.is_valid():
        return plain(f"Thank you, {form.cleaned_data['name']}.\n")
    fill = Fill(request)
    response = render(request, "blog/newsletter.html", {"form": form, "fill": fill})
    if request.method == "GET":
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["Cache-Tag"] = "newsletter"
    return fill.finish(response)


@require_safe
def read_hits(request):
    response = plain(str(hits.read(request.GET.get("path", ""))))
    response.headers["Cache-Control"] = "no-store"
    return response
