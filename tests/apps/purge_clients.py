"""Purges larder with a client that knows nothing of it, unchanged.

Usage: purge_clients.py CLIENT PROXY ARGUMENTS, where PROXY is host:port. Ends with 0 if the
client took the purge for done.
"""

import logging
import sys


def wagtail(proxy, *urls):
    """Wagtail's HTTPBackend logs what went wrong, and never raises."""
    from django.conf import settings

    settings.configure()
    from wagtail.contrib.frontend_cache.backends.http import HTTPBackend

    complaints = []

    class Heard(logging.Handler):
        def emit(self, record):
            complaints.append(record.getMessage())

    logging.getLogger("wagtail.frontendcache").addHandler(Heard())
    backend = HTTPBackend({"LOCATION": f"http://{proxy}"})
    backend.purge_batch(list(urls))
    assert not complaints, complaints


def plone(proxy, *paths):
    """plone.cachepurging, once at a time and once by its worker threads."""
    from plone.cachepurging.purger import DefaultPurger

    purger = DefaultPurger()
    first, *others = paths
    status, x_cache, x_error = purger.purgeSync(f"http://{proxy}{first}")
    assert (status, x_cache, x_error) == (200, "PURGED", ""), (status, x_cache, x_error)
    for path in others:
        purger.purgeAsync(f"http://{proxy}{path}")
    # The worker stops when it has done what is before this in its queue.
    for queue in purger.queues.values():
        queue.put(None)
    for worker in purger.workers.values():
        worker.join(30)
        assert not worker.is_alive()


def fastly(proxy, token, what, *names):
    from fastly import ApiClient, Configuration
    from fastly.api.purge_api import PurgeApi

    configuration = Configuration(host=f"http://{proxy}", api_key={"token": token})
    with ApiClient(configuration) as client:
        api = PurgeApi(client)
        match what:
            case "key":
                answer = api.purge_tag(service_id="SID", surrogate_key=names[0])
            case "soft-key":
                answer = api.purge_tag(
                    service_id="SID", surrogate_key=names[0], fastly_soft_purge=1
                )
            case "keys":
                from fastly.model.purge_response import PurgeResponse

                # The package takes the document for an answer's.
                keys = PurgeResponse(surrogate_keys=list(names))
                answer = api.bulk_purge_tag(service_id="SID", purge_response=keys)
                assert sorted(answer.to_dict()) == sorted(names), answer
                return
            case "keys-field":
                answer = api.bulk_purge_tag(service_id="SID", surrogate_key=" ".join(names))
                assert sorted(answer.to_dict()) == sorted(names), answer
                return
            case "all":
                answer = api.purge_all(service_id="SID")
            case "url":
                answer = api.purge_single_url(cached_url=names[0])
    assert answer.status == "ok", answer


def cloudflare(proxy, token, what, *names):
    from cloudflare import Cloudflare

    client = Cloudflare(api_token=token, base_url=f"http://{proxy}/client/v4", max_retries=0)
    asked = {"purge_everything": True} if what == "everything" else {what: list(names)}
    answer = client.cache.purge(zone_id="023e105f4ecef8ad9ca31a8372d0c353", **asked)
    assert answer.id == "023e105f4ecef8ad9ca31a8372d0c353", answer


if __name__ == "__main__":
    client, *arguments = sys.argv[1:]
    clients = {"wagtail": wagtail, "plone": plone, "fastly": fastly, "cloudflare": cloudflare}
    clients[client](*arguments)
