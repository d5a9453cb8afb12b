"""Placeholders: what is left to larder, and what isn't."""

import re

import jinja2
import pytest
from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse, StreamingHttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings

from larder_client.django import conf, forms
from larder_client.django.middleware import LarderMiddleware

OFFER = {"Larder-Fill": "csrf, nonce"}
FIELD = 'name="csrfmiddlewaretoken" value="([^"]+)"'


@pytest.fixture(autouse=True)
def _no_fragments() -> None:
    cache.clear()


def token_in(response) -> str:
    found = re.search(FIELD, response.content.decode())
    assert found, response.content
    return found[1]


def test_where_larder_fills_the_page_is_the_same_for_all() -> None:
    one, other = Client(headers=OFFER).get("/form/"), Client(headers=OFFER).get("/form/")
    assert one.content == other.content
    assert token_in(one) == forms.placeholder("csrf")
    assert re.fullmatch("[A-Za-z0-9]{64}", token_in(one))
    assert one.headers["Vary"] == "Larder-Fill"
    assert not one.cookies
    assert one.headers["Larder-Cache-Control"] == "max-age=3600"
    assert one.headers["ETag"] == other.headers["ETag"]


def test_the_answer_says_what_to_fill_and_how_the_cookie_is_set() -> None:
    response = Client(headers=OFFER).get("/form/")
    assert response.headers["Larder-Fill"] == (
        f'csrf="{forms.placeholder("csrf")}"'
        ';cookie="csrftoken";max-age=31449600;path="/";samesite="Lax"'
    )


def test_the_cookies_settings_are_said() -> None:
    with override_settings(
        CSRF_COOKIE_NAME="token",
        CSRF_COOKIE_AGE=None,
        CSRF_COOKIE_DOMAIN=".example.org",
        CSRF_COOKIE_PATH='/a"b\\',
        CSRF_COOKIE_SAMESITE=False,
        CSRF_COOKIE_SECURE=True,
        CSRF_COOKIE_HTTPONLY=True,
    ):
        response = Client(headers=OFFER).get("/form/")
    assert response.headers["Larder-Fill"].partition(";")[2] == (
        r'cookie="token";path="/a\"b\\";domain=".example.org";secure;httponly'
    )


@pytest.mark.parametrize("fields", [{}, {"Larder-Fill": "nonce"}, {"Larder-Fill": "csrf=?0;x"}])
def test_where_larder_does_not_offer_it_is_djangos_own_token(fields) -> None:
    response = Client(headers=fields).get("/form/")
    assert token_in(response) != forms.placeholder("csrf")
    assert "csrftoken" in response.cookies
    assert {"Cookie", "Larder-Fill"} <= set(response.headers["Vary"].split(", "))
    assert "Larder-Fill" not in response.headers


def test_until_forms_is_set_no_placeholder_is_shown_to_who_asks_for_it() -> None:
    with override_settings(LARDER={}):
        response = Client(headers=OFFER).get("/form/")
    assert token_in(response) != forms.placeholder("csrf")
    assert "Larder-Fill" not in response.headers.get("Vary", "")


def test_tokens_in_sessions_stay_djangos() -> None:
    with override_settings(CSRF_USE_SESSIONS=True, SESSION_ENGINE=SIGNED):
        response = Client(headers=OFFER).get("/form/")
    assert token_in(response) != forms.placeholder("csrf")
    assert "sessionid" in response.cookies


SIGNED = "django.contrib.sessions.backends.signed_cookies"


def test_a_filled_token_passes_djangos_own_check() -> None:
    """What larder does by the contract: a masked token of the visitor's cookie."""
    from django.middleware.csrf import _mask_cipher_secret

    secret = "s" * 32
    visitor = Client(enforce_csrf_checks=True)
    visitor.cookies["csrftoken"] = secret
    sent = {"csrfmiddlewaretoken": _mask_cipher_secret(secret), "text": "x"}
    assert visitor.post("/untouched/", sent).status_code == 200
    sent["csrfmiddlewaretoken"] = forms.placeholder("csrf")
    assert visitor.post("/untouched/", sent).status_code == 403


def test_placeholders_depend_on_the_secret_key_alone() -> None:
    before = forms.placeholder("csrf")
    assert forms.placeholder("nonce") not in before
    with override_settings(SECRET_KEY="another"):
        assert forms.placeholder("csrf") != before
    assert len(forms.placeholder("nonce")) == 32


def test_a_cached_fragment_is_filled_by_whoever_can() -> None:
    kept = Client(headers=OFFER).get("/fragment/")
    assert "Larder-Fill" in kept.headers
    # The tag isn't rendered any more.
    again = Client(headers=OFFER).get("/fragment/")
    assert again.headers["Larder-Fill"] == kept.headers["Larder-Fill"]
    past_larder = Client().get("/fragment/")
    assert forms.placeholder("csrf") not in past_larder.content.decode()
    assert "csrftoken" in past_larder.cookies
    assert "Cookie" in past_larder.headers["Vary"]
    assert "Larder-Fill" not in past_larder.headers
    assert past_larder.headers["Content-Length"] == str(len(past_larder.content))


def test_the_nonce_is_the_same_all_through_one_answer() -> None:
    response = Client(headers=OFFER).get("/script/")
    nonce = forms.placeholder("nonce")
    assert response.content.decode().count(nonce) == 2
    assert response.headers["Content-Security-Policy"] == f"script-src 'nonce-{nonce}'"
    assert response.headers["Larder-Fill"] == f'nonce="{nonce}"'


def test_a_nonce_without_larder_is_another_one_each_time() -> None:
    def nonce() -> str:
        response = Client().get("/script/")
        found = re.findall('nonce="([A-Za-z0-9]{32})"', response.content.decode())
        assert len(found) == 2
        assert {f"script-src 'nonce-{one}'" for one in found} == {
            response.headers["Content-Security-Policy"]
        }
        return found[0]

    assert nonce() != nonce()


def test_djangos_own_csp_middleware_says_the_same_nonce() -> None:
    csp = pytest.importorskip("django.middleware.csp", reason="it came with Django 6.0")
    inner = csp.ContentSecurityPolicyMiddleware(lambda request: HttpResponse(forms.nonce(request)))
    with override_settings(SECURE_CSP={"script-src": ["'self'", CSP_NONCE]}):
        request = RequestFactory(headers=OFFER).get("/")
        response = LarderMiddleware(inner)(request)
    expected = f"script-src 'self' 'nonce-{forms.placeholder('nonce')}'"
    assert response.headers["Content-Security-Policy"] == expected
    assert "nonce=" in response.headers["Larder-Fill"]


CSP_NONCE = "<CSP_NONCE_SENTINEL>"


def test_what_is_rendered_while_it_streams_has_djangos_token() -> None:
    def view(request):
        return StreamingHttpResponse(iter(lambda: next(parts(request), b""), b""))

    def parts(request):
        yield str(forms.csrf_input(request)).encode()

    request = RequestFactory(headers=OFFER).get("/")
    response = LarderMiddleware(view)(request)
    body = b"".join([next(iter(response.streaming_content))])
    assert forms.placeholder("csrf").encode() not in body
    assert "Larder-Fill" not in response.headers


def test_what_was_rendered_before_it_streams_is_filled() -> None:
    def view(request):
        return StreamingHttpResponse([str(forms.csrf_input(request)).encode()])

    response = LarderMiddleware(view)(RequestFactory(headers=OFFER).get("/"))
    assert response.headers["Larder-Fill"].startswith("csrf=")


def test_a_page_without_a_form_says_nothing() -> None:
    response = Client(headers=OFFER).get("/plain/")
    assert "Larder-Fill" not in response.headers
    assert "Larder-Fill" not in response.headers.get("Vary", "")


def test_the_tag_without_a_request_is_djangos() -> None:
    rendered = Template("{% load larder %}{% larder_csrf %}").render(Context({"csrf_token": "abc"}))
    assert 'value="abc"' in rendered


def test_the_tag_without_our_middleware_is_djangos() -> None:
    request = RequestFactory(headers=OFFER).get("/")
    context = Context({"request": request})
    rendered = Template("{% load larder %}{% larder_csrf %}").render(context)
    assert forms.placeholder("csrf") not in rendered
    assert "csrfmiddlewaretoken" in rendered


def test_jinja2_has_them_as_functions() -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.globals.update(larder_csrf=forms.csrf_input, larder_nonce=forms.nonce)
    template = environment.from_string("{{ larder_csrf(request) }} {{ larder_nonce(request) }}")

    def view(request):
        return HttpResponse(template.render(request=request))

    response = LarderMiddleware(view)(RequestFactory(headers=OFFER).get("/"))
    assert token_in(response) == forms.placeholder("csrf")
    assert "nonce=" in response.headers["Larder-Fill"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PATH", "/caf\u00e9"),
        ("PATH", "/a b"),
        ("PATH", "/a;b"),
        ("AGE", 0),
        ("AGE", 1.5),
        ("NAME", "two words"),
        ("DOMAIN", "*.example.org"),
    ],
)
def test_a_cookie_that_larder_can_not_set_is_not_left_to_it(setting, value, caplog) -> None:
    assert conf.larder().forms
    with override_settings(**{f"CSRF_COOKIE_{setting}": value}):
        request = RequestFactory(headers=OFFER).get("/")
        response = LarderMiddleware(lambda asked: HttpResponse(forms.csrf_input(asked)))(request)
    assert token_in(response) != forms.placeholder("csrf")
    assert "Larder-Fill" not in response.headers
    assert f"CSRF_COOKIE_{setting} is" in caplog.text


def test_after_an_error_of_our_own_no_placeholder_is_left_in_the_page(monkeypatch) -> None:
    def broken(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr("larder_client.django.forms.patch_vary_headers", broken)
    response = Client(headers=OFFER).get("/form/")
    assert forms.placeholder("csrf") not in response.content.decode()
    assert response.headers["Larder-Cache-Control"] == "no-store"


def test_djangos_own_cache_keeps_the_two_kinds_of_page_apart() -> None:
    update = "django.middleware.cache.UpdateCacheMiddleware"
    fetch = "django.middleware.cache.FetchFromCacheMiddleware"
    with override_settings(MIDDLEWARE=[update, *settings.MIDDLEWARE, fetch]):
        for _ in range(2):
            filled = Client(headers=OFFER).get("/form/")
            assert token_in(filled) == forms.placeholder("csrf")
            assert filled.headers["Larder-Fill"].startswith("csrf=")
            assert filled.headers["Cache-Tag"] == "form"
            past_larder = Client().get("/form/")
            assert token_in(past_larder) != forms.placeholder("csrf")
            assert "csrftoken" in past_larder.cookies


def test_what_is_put_into_a_field_can_not_break_out_of_it() -> None:
    for name, value in (("PATH", '/"; secure'), ("DOMAIN", 'a";x'), ("SAMESITE", 'Lax";x')):
        with override_settings(**{f"CSRF_COOKIE_{name}": value}):
            assert forms.cookie_problem()


def test_a_fragment_from_before_the_cookie_was_changed_is_filled_here() -> None:
    Client(headers=OFFER).get("/fragment/")
    with override_settings(CSRF_COOKIE_PATH="/a b"):
        response = Client(headers=OFFER).get("/fragment/")
    assert token_in(response) != forms.placeholder("csrf")
    assert "csrftoken" in response.cookies
    assert "Larder-Fill" not in response.headers
