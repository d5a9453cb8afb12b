"""Pages for everybody. Nothing purges by hand: what is read leaves tags, what is written purges."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from larder_client.django import larder_cache

from .forms import CommentForm
from .models import Article


@larder_cache(ttl="1h", swr="1m", sie="1d")
def index(request: HttpRequest) -> HttpResponse:
    """The articles, the newest first."""
    return render(request, "blog/index.html", {"articles": Article.objects.filter(published=True)})


@larder_cache(ttl="1h", swr="1m", sie="1d")
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """One article with its comments, and a form for another one."""
    found = get_object_or_404(Article, pk=pk, published=True)
    return render(request, "blog/article.html", {"article": found, "form": CommentForm()})


@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a comment. The page that it leads back to is already new."""
    found = get_object_or_404(Article, pk=pk, published=True)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return render(request, "blog/article.html", {"article": found, "form": form}, status=422)
    form.instance.article = found
    form.save()
    return redirect(found)
