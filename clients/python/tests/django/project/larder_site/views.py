"""Views for each thing that an answer may be."""

import asyncio
import gzip
import io

from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from larder_client import record
from larder_client.django import larder_cache, purge

from .models import Note


@larder_cache(ttl="5m", swr=30, sie="1h", tags=["page"])
def plain(request):
    """One that is kept."""
    record("recorded")
    return HttpResponse("plain")


def untouched(request):
    """One without a decorator."""
    return HttpResponse("untouched")


@larder_cache(ttl=60, tags=lambda request, pk: [f"thing:{pk}", "new books, café"])
def by_function(request, pk):
    return HttpResponse(f"thing {pk}")


async def async_tags(request):
    await asyncio.sleep(0)
    return ["from-async"]


@larder_cache(ttl=60, tags=async_tags)
async def async_view(request):
    await asyncio.sleep(0)
    record("async")
    return HttpResponse("async")


@method_decorator(larder_cache(ttl=60, tags=["class"]), name="dispatch")
class ClassView(View):
    def get(self, request):
        return HttpResponse("class")


@method_decorator(larder_cache(ttl=60, tags=["async-class"]), name="dispatch")
class AsyncClassView(View):
    async def get(self, request):
        return HttpResponse("async class")


@larder_cache(ttl=60, tags=["never"])
@never_cache
def private(request):
    return HttpResponse("private")


@larder_cache(ttl=60)
def broken_tags(request):
    return HttpResponse("fine")


broken_tags = larder_cache(ttl=60, tags=lambda request: 1 / 0)(broken_tags)
wrong_tags = larder_cache(ttl=60, tags=lambda request: [17, ""])(untouched)


@larder_cache(ttl=60)
def missing(request):
    record("missing")
    raise Http404


@larder_cache(ttl=60)
def failing(request):
    record("failing")
    raise RuntimeError("it fails")


@larder_cache(ttl=60, tags=["late"])
def late_failure(request):
    """It is rendered after the view."""
    return TemplateResponse(request, "larder_site/not_there.html")


@larder_cache(ttl=60)
def streaming(request):
    return StreamingHttpResponse([b"a", b"b"])


@larder_cache(ttl=60, tags=["stream"])
def tagged_streaming(request):
    return StreamingHttpResponse([b"a", b"b"])


def plain_streaming(request):
    return StreamingHttpResponse([b"a", b"b"])


@larder_cache(ttl=60, tags=["stream"])
def streaming_user(request):
    """It looks at the user once the head has gone."""
    return StreamingHttpResponse(str(request.user) for _ in range(1))


def own_tags(request, number):
    response = HttpResponse("page")
    response.headers["Cache-Tag"] = ",".join(map(str, range(number)))
    return response


@larder_cache(ttl=60)
def file(request):
    return FileResponse(io.BytesIO(b"a file"), filename="file.txt")


@larder_cache(ttl=60)
def shows_messages(request):
    return render(request, "larder_site/messages.html")


@csrf_exempt
def leaves_message(request):
    messages.info(request, "only for you")
    return redirect("/messages/")


@larder_cache(ttl=60)
def many(request):
    record(*(f"tag-{number}-{'x' * 60}" for number in range(400)))
    return HttpResponse("many")


@csrf_exempt
def rename(request):
    """Changes within a transaction, and purges by hand."""
    with transaction.atomic():
        purge("page", "list")
        if request.POST.get("fail"):
            transaction.set_rollback(True)
    response = HttpResponse(status=int(request.POST.get("status", "204")))
    for name, own in (("X-LiteSpeed-Purge", "own"), ("Cache-Group-Invalidation", "group")):
        if own in request.POST:
            response.headers[name] = request.POST[own]
    return response


@larder_cache(ttl="1h", tags=["notes"])
def notes(request):
    """All notes; a POST adds one."""
    if request.method == "POST":
        note = Note.objects.create(text=request.POST["text"])
        purge("notes", f"larder_site.note:{note.pk}")
        return redirect("/notes/")
    found = ", ".join(Note.objects.order_by("pk").values_list("text", flat=True))
    return HttpResponse(f"notes: {found}")


@larder_cache(ttl="1h")
async def async_notes(request):
    """The same without a tag by hand, for the recorder of reads and writes."""
    if request.method == "POST":
        await Note.objects.acreate(text=request.POST["text"])
        return redirect("/async-notes/")
    found = [note.text async for note in Note.objects.order_by("pk")]
    return HttpResponse(f"notes: {', '.join(found)}")


# As @csrf_exempt does, which knows nothing of async views before Django 5.0.
async_notes.csrf_exempt = True


@larder_cache(ttl="1h", tags=["form"])
def form(request):
    return render(request, "larder_site/form.html")


@larder_cache(ttl="1h", tags=["fragment"])
def fragment(request):
    return render(request, "larder_site/fragment.html")


@larder_cache(ttl="1h", tags=["script"])
def script(request):
    from larder_client.django import forms

    response = render(request, "larder_site/script.html")
    response["Content-Security-Policy"] = f"script-src 'nonce-{forms.nonce(request)}'"
    return response


def forget_fragments(request):
    cache.clear()
    return HttpResponse()


@larder_cache(ttl=60, tags=["html"])
def html(request):
    return HttpResponse("<html><body>page</body></html>")


def sitemap(request):
    places = [request.build_absolute_uri(path) for path in ("/plain/", "/class/")]
    urls = "".join(f"<url><loc>\n{place}</loc></url>" for place in places)
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    return HttpResponse(text, content_type="application/xml")


def sitemap_index(request):
    places = [request.build_absolute_uri(path) for path in ("/sitemap.xml", "/sitemap.xml.gz")]
    maps = "".join(f"<sitemap><loc>{place}</loc></sitemap>" for place in places)
    return HttpResponse(f"<sitemapindex>{maps}</sitemapindex>", content_type="application/xml")


def packed_sitemap(request):
    packed = gzip.compress(sitemap(request).content)
    return HttpResponse(packed, content_type="application/gzip")


def bomb(request):
    text = '<!DOCTYPE x [<!ENTITY a "aaaa">]><urlset><url><loc>&a;</loc></url></urlset>'
    return HttpResponse(text, content_type="application/xml")
