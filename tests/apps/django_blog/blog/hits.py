"""Counts what is computed: `@counted` on a view, read at `/_hits/?path=...`."""

from functools import wraps

from django.db import transaction
from django.db.models import F

from .models import Hits


def counted(view):
    """Counts each run of the view under its path (`POST:/path` for any method but GET), and with
    a query under `path?query` too; `X-Computed` carries the number."""

    @wraps(view)
    def counting(request, *args, **kwargs):
        prefix = "" if request.method == "GET" else f"{request.method}:"
        n = add(prefix + request.path)
        if request.META["QUERY_STRING"]:
            n = add(prefix + request.get_full_path())
        response = view(request, *args, **kwargs)
        response.headers["X-Computed"] = str(n)
        return response

    return counting


@transaction.atomic
def add(path):
    Hits.objects.bulk_create([Hits(path=path)], ignore_conflicts=True)
    Hits.objects.filter(path=path).update(n=F("n") + 1)
    return read(path)


def read(path):
    return Hits.objects.filter(path=path).values_list("n", flat=True).first() or 0
