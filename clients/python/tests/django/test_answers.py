"""What an answer says to larder: tags, lifetime, what it has changed."""

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client, RequestFactory, override_settings

from larder_client import PURGE_FIELD, TAG_FIELD
from larder_client.django import conf, larder_cache
from larder_client.django.middleware import LarderMiddleware

LIFETIME = "Larder-Cache-Control"


def get(path: str, **fields: str):
    return Client(headers=fields).get(path)


def get_async(path: str):
    return async_to_sync(AsyncClient().get)(path)


def tags(response) -> set[str]:
    return {tag.strip() for tag in response.headers.get(TAG_FIELD, "").split(",") if tag}


def test_a_decorated_view_states_its_tags_and_lifetimes() -> None:
    response = get("/plain/")
    assert tags(response) == {"page", "recorded"}
    said = "max-age=300, stale-while-revalidate=30, stale-if-error=3600"
    assert response.headers[LIFETIME] == said
    # A purge does not reach browsers: they ask each time.
    assert response.headers["Cache-Control"] == "no-cache"


def test_other_views_are_left_as_they_are() -> None:
    response = get("/untouched/")
    assert LIFETIME not in response.headers
    assert "Cache-Control" not in response.headers
    assert TAG_FIELD not in response.headers


def test_tags_may_come_from_a_function_of_what_the_view_is_given() -> None:
    assert tags(get("/things/7/")) == {"thing:7", "new%20books%2C%20caf%C3%A9"}


@pytest.mark.parametrize("fetch", [get, get_async], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/plain/", {"page", "recorded"}),
        ("/async/", {"from-async", "async"}),
        ("/class/", {"class"}),
        ("/async-class/", {"async-class"}),
    ],
)
def test_every_kind_of_view_works_in_both_stacks(fetch, path, expected) -> None:
    response = fetch(path)
    assert tags(response) == expected
    assert response.headers[LIFETIME].startswith("max-age=")


def test_the_middleware_is_async_where_the_stack_is() -> None:
    async def view(request):
        raise AssertionError("it is only wrapped")

    assert LarderMiddleware.sync_capable
    assert LarderMiddleware.async_capable
    assert LarderMiddleware(view).is_async
    assert not LarderMiddleware(lambda request: None).is_async


def test_what_a_view_says_of_privacy_stands() -> None:
    response = get("/private/")
    assert response.headers[LIFETIME] == "no-store"
    assert "private" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/broken-tags/", "/wrong-tags/"])
def test_tags_that_can_not_be_had_do_not_fail_the_page(path, caplog) -> None:
    response = get(path)
    assert response.status_code == 200
    assert response.headers[LIFETIME] == "no-store"
    assert "the tags of @larder_cache can't be used" in caplog.text


def test_an_answer_of_404_has_tags_but_no_lifetime() -> None:
    response = get("/missing/")
    assert response.status_code == 404
    assert tags(response) == {"missing"}
    assert LIFETIME not in response.headers


def test_an_exception_stays_what_it_is() -> None:
    response = Client(raise_request_exception=False).get("/failing/")
    assert response.status_code == 500
    assert LIFETIME not in response.headers
    assert TAG_FIELD not in response.headers


def test_a_template_that_fails_is_an_error_and_not_kept() -> None:
    response = Client(raise_request_exception=False).get("/late-failure/")
    assert response.status_code == 500
    assert LIFETIME not in response.headers


@pytest.mark.parametrize("fetch", [get, get_async], ids=["wsgi", "asgi"])
def test_what_streams_is_kept_only_with_tags_by_hand(fetch, caplog) -> None:
    assert fetch("/streaming/").headers[LIFETIME] == "no-store"
    assert "@larder_cache(..., tags=[...])" in caplog.text
    assert fetch("/tagged-streaming/").headers[LIFETIME] == "max-age=60"
    assert fetch("/file/").headers[LIFETIME] == "max-age=60"


def test_what_streams_is_not_kept_by_larders_default_either() -> None:
    assert get("/plain-streaming/").headers[LIFETIME] == "no-store"


def test_what_streams_may_look_at_the_user_yet() -> None:
    response = get("/streaming-user/")
    assert response.headers[LIFETIME] == "max-age=60"
    assert "Cookie" in response.headers["Vary"]
    assert "Cookie" not in get("/file/").headers.get("Vary", "")


def test_more_tags_of_the_views_own_than_a_head_takes_are_not_kept(caplog) -> None:
    assert len(get("/own-tags/3000/").headers[TAG_FIELD]) > 8_000
    response = get("/own-tags/20000/")
    assert response.headers[LIFETIME] == "no-store"
    assert TAG_FIELD not in response.headers
    assert "give it fewer" in caplog.text


def test_a_page_with_a_visitors_messages_is_not_kept() -> None:
    visitor = Client()
    visitor.post("/leave/")
    shown = visitor.get("/messages/")
    assert b"only for you" in shown.content
    assert shown.headers[LIFETIME] == "no-store"
    assert visitor.get("/messages/").headers[LIFETIME] == "max-age=60"


def test_more_tags_than_fit_a_field_are_not_kept(caplog) -> None:
    response = get("/many/")
    assert response.status_code == 200
    assert response.headers[LIFETIME] == "no-store"
    assert "fewer or shorter tags" in caplog.text


def test_compressing_above_changes_nothing() -> None:
    response = get("/plain/", **{"Accept-Encoding": "gzip"})
    assert tags(response) == {"page", "recorded"}


def test_two_requests_at_a_time_do_not_mix_their_tags() -> None:
    import asyncio

    async def both():
        one, other = AsyncClient(), AsyncClient()
        return await asyncio.gather(one.get("/plain/"), other.get("/async/"))

    plain, other = async_to_sync(both)()
    assert tags(plain) == {"page", "recorded"}
    assert tags(other) == {"from-async", "async"}


@pytest.mark.parametrize(
    "wrong",
    [{"ttl": "5 minutes"}, {"ttl": -1}, {"ttl": 60, "swr": "x"}, {"ttl": 60, "tags": [""]}],
)
def test_arguments_that_make_no_sense_are_refused_where_they_stand(wrong) -> None:
    with pytest.raises(ValueError):
        larder_cache(**wrong)


def test_a_string_is_no_list_of_tags() -> None:
    with pytest.raises(TypeError, match="not the string 'page'"):
        larder_cache(ttl=60, tags="page")


def test_without_the_middleware_a_decorated_view_is_not_kept(caplog) -> None:
    view = larder_cache(ttl=60)(lambda request: __import__("django.http").http.HttpResponse("x"))
    response = view(RequestFactory().get("/"))
    assert LIFETIME not in response.headers
    assert "LarderMiddleware' into MIDDLEWARE" in caplog.text


@pytest.mark.parametrize("wrong", ["http://x", {"URLS": 1}, {"TIMEOUT": "2"}, None])
def test_settings_that_can_not_be_used_fail_no_page(wrong, caplog) -> None:
    with override_settings(LARDER=wrong):
        response = get("/plain/")
        assert response.status_code == 200
        assert response.headers[LIFETIME] == "no-store"
        assert get("/rename/").status_code == 204
    assert caplog.text.count("no page is cached by it until this is mended") == 1


def test_an_error_of_our_own_fails_no_page(monkeypatch, caplog) -> None:
    def broken(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr("larder_client.answer.emit", broken)
    response = get("/plain/")
    assert response.content == b"plain"
    assert response.headers[LIFETIME] == "no-store"
    assert "larder can't be told about /plain/" in caplog.text


def test_settings_are_read_again_when_a_test_changes_them() -> None:
    with override_settings(LARDER={"URL": "http://127.0.0.1:1"}):
        assert conf.larder().proxy.url.endswith(":1")
        assert conf.client().options.url.endswith(":1")
    assert conf.larder().proxy.url.endswith(":9")


def test_the_answer_to_a_post_names_what_its_transaction_changed(databases) -> None:
    response = Client().post("/rename/")
    assert response.headers[PURGE_FIELD] == "tag=public:list,tag=public:page"
    assert "Cache-Group-Invalidation" in response.headers


def test_what_the_view_has_larder_forget_is_said_too(databases) -> None:
    response = Client().post("/rename/", {"own": "/legacy", "group": '"legacy"'})
    assert response.headers[PURGE_FIELD] == "/legacy;tag=public:list,tag=public:page"
    assert response.headers["Cache-Group-Invalidation"].startswith('"legacy", "')


def test_what_was_rolled_back_changed_nothing(databases) -> None:
    assert PURGE_FIELD not in Client().post("/rename/", {"fail": "1"}).headers
    # What is committed is committed, whatever the answer says.
    assert PURGE_FIELD in Client().post("/rename/", {"status": "409"}).headers
    assert PURGE_FIELD not in Client().get("/rename/").headers
