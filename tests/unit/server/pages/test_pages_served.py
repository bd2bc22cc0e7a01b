"""Pages over WSGI: who gets which document, the certificates to give out, the switches, and the index."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.unit.server.pages.paged import Echo, Html
from tests.unit.server.plain import call
from wsprovider.adapters.users.development import development_users
from wsprovider.config.development import create_development_keys
from wsprovider.keyring.lifecycle import NOT_SCHEDULED, Lifespan
from wsprovider.keyring.ring import Ring, RingSnapshot
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.server.pages import served
from wsprovider.words.errors import ConfigurationError

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages") / "keys"
    create_development_keys(folder, now=NOW, write_users=development_users)
    return folder


def endpoint(scenario="sign-encrypt-x509", **more):
    return {"path": f"/{scenario}", "scenario": scenario, "trust": ["clients"], "users": "users.toml", **more}


@pytest.fixture
def make(keys):
    opened = []

    def make(*endpoints, **options):
        declared = Service("echo", [Echo], {"endpoint": list(endpoints or (endpoint(),))})
        opened.append(create_app([declared], keys=keys, shared="memory:", **options))
        return opened[-1]

    yield make
    for app in opened:
        app.close()


def get(app, path="/sign-encrypt-x509", accept=BROWSER, **environ):
    return call(
        app,
        PATH_INFO=path,
        HTTP_ACCEPT=accept,
        **{"REQUEST_METHOD": "GET", "CONTENT_LENGTH": None, **environ},
    )


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html;q=0.8", True),
        ("text/html, */*", True),
        ("text/html, text/plain;q=0.9", True),
        ("TEXT/HTML", True),
        ("text/html;q=0.5, text/plain", False),
        ("text/plain", False),
        ("text/html;q=0", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("", False),
        (None, False),
        (",;q=,=" * 80, False),
        (f"text/html,{'a/b,' * 110}c/d", True),
        (f"text/html,{'a/b,' * 5000}c/d", False),
        ("text/html;q=nonsense", False),
    ],
)
def test_who_gets_the_page(make, accept, html):
    response = get(make(), accept=accept)
    assert response.status == 200
    kind = response.headers["Content-Type"]
    assert kind == ("text/html; charset=utf-8" if html else "text/plain; charset=utf-8")
    assert response.headers["Vary"] == "Accept"
    assert ("Content-Security-Policy" in response.headers) is html


def test_the_page(make):
    response = get(make(), HTTP_HOST="localhost:8080")
    html = Html.of(response.data)
    assert html.root.findtext(".//h1") == "sign-encrypt-x509"
    assert "http://localhost:8080/sign-encrypt-x509" in html.text
    assert "Return the text as it came." in html.text
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    head = get(make(), REQUEST_METHOD="HEAD")
    assert (head.status, head.data) == (200, b"")
    assert head.headers["Content-Type"] == response.headers["Content-Type"]


def test_a_page_tells_nothing_that_is_no_strangers_business(make, keys):
    app = make(endpoint("sign-encrypt-username", roles=["clerks"], freshness={"life": 271}))
    data = get(app, "/sign-encrypt-username").data.decode()
    users = (keys / "users.toml").read_text()
    assert "alice" in users
    for secret in (
        "alice",
        "bob",
        "client-1",
        "clerks",
        "users.toml",
        "clients",
        "271",
        str(keys),
        "PRIVATE",
        "Spyne",
    ):
        assert secret not in data, secret


@pytest.mark.parametrize("host", ["evil.example", '"><script>', "localhost:8080/x", "localhost\x00"])
def test_the_host_header_is_not_believed(make, host):
    data = get(make(), HTTP_HOST=host, SCRIPT_NAME='/a"><evil').data
    assert b"http://localhost:8080/aevil/sign-encrypt-x509" in data
    assert b"<evil" not in data


def test_the_address_of_the_operator(make):
    """It stands in strings of several languages, and in commands."""
    app = make(endpoint("non-repudiation"), public_url="https://bank.example/a'b$(c)`d`")
    html = Html.of(get(app, "/non-repudiation").data)
    address = "https://bank.example/a%27b%24%28c%29%60d%60/non-repudiation"
    assert address in html.text
    assert f'Client("{address}?wsdl"' in html.snippets()["zeep (Python)"]["client.py"]
    assert f"'{address}?wsdl'" in html.snippets()["Apache CXF"]["run.sh"]


def test_certificates(make, keys):
    response = get(make(), QUERY_STRING="certificate")
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/x-pem-file"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Content-Disposition"].endswith('"service.cert.pem"')
    assert b"PRIVATE" not in response.data
    (given,) = x509.load_pem_x509_certificates(response.data)
    assert given == x509.load_pem_x509_certificate((keys / "development" / "service.cert.pem").read_bytes())


@pytest.mark.parametrize("query", ["certificate=1", "certificates", "key", "x&certificate"])
def test_no_other_document(make, query):
    assert get(make(), QUERY_STRING=query).status == 404


def test_no_certificate_where_none_is_needed(make):
    app = make(endpoint("username-token"), endpoint())
    assert get(app, "/username-token", QUERY_STRING="certificate").status == 404
    assert "certificate" not in "".join(Html.of(get(app, "/username-token").data).root.xpath("//@href"))
    assert get(app, QUERY_STRING="certificate").status == 200


def ring_of(page, *lifespans):
    """The page's ring with one key in several stages."""
    (key,) = page.keys().ring.keys
    keys = tuple(replace(key, lifespan=lifespan) for lifespan in lifespans)
    return lambda: RingSnapshot(Ring("service", keys), None, "changed")


DAY = timedelta(days=1)
RETIRED = Lifespan(active_from=NOW - 9 * DAY, retired_at=NOW - DAY)
NEXT, UNNAMED = Lifespan(active_from=NOW + DAY), Lifespan(active_from=NOT_SCHEDULED)
CURRENT, NEWER = Lifespan(active_from=NOW - 3 * DAY), Lifespan(active_from=NOW - 2 * DAY)


@pytest.mark.parametrize(
    ("lifespans", "states"),
    [
        ((CURRENT,), ["in use"]),
        ((NEXT, CURRENT), ["in use", "the next one"]),
        ((UNNAMED, CURRENT), ["in use", "the next one"]),
        ((RETIRED, CURRENT), ["in use"]),
        ((CURRENT, NEWER, NEXT), ["in use", "in use", "the next one"]),
    ],
)
def test_current_and_next_certificates(make, lifespans, states):
    app = make()
    page = app.endpoints[0].page
    page.keys = ring_of(page, *lifespans)
    assert get(app, QUERY_STRING="certificate").data.count(b"BEGIN CERTIFICATE") == len(states)
    told = Html.of(get(app).data).root.xpath("//dt[.='State']/following-sibling::dd[1]/text()")
    assert [one.partition(":")[0] for one in told] == states


def test_it_is_made_once_for_each_set_of_certificates(make, monkeypatch):
    app = make()
    page, made = app.endpoints[0].page, []
    real = served.page
    monkeypatch.setattr(served, "page", lambda *given: made.append(1) or real(*given))
    first = get(app).data
    assert get(app).data == first
    assert get(app, HTTP_HOST="localhost:1").data != first
    assert len(made) == 1
    page.keys = ring_of(page, CURRENT, NEXT)
    assert get(app).data != first
    assert len(made) == 2


def test_a_service_may_have_no_page(make):
    app = make(endpoint(page=False), endpoint("integrity"))
    response = get(app)
    assert response.headers["Content-Type"].startswith("text/plain")
    assert get(app, QUERY_STRING="certificate").status == 404
    assert get(app, QUERY_STRING="wsdl").status == 200
    assert get(app, "/integrity").headers["Content-Type"].startswith("text/html")


def test_page_is_true_or_false(make):
    with pytest.raises(ConfigurationError, match="page"):
        make(endpoint(page="no"))


def test_the_index_is_there_where_it_is_wanted(make):
    endpoints = endpoint(), endpoint("integrity"), endpoint("confidentiality", page=False)
    assert get(make(*endpoints), "/").status == 404
    app = make(*endpoints, index=True)
    response = get(app, "/")
    html = Html.of(response.data)
    assert html.root.xpath("//td/a/@href") == ["sign-encrypt-x509", "integrity"]
    assert "Content-Security-Policy" in response.headers
    assert get(app, "/", accept="*/*").data == b"/sign-encrypt-x509\n/integrity\n"
    assert get(app, "/", REQUEST_METHOD="POST").status == 404
    assert get(app, "").status == 404


def test_folders_say_so_in_their_files(keys, tmp_path):
    root = Path(__file__).resolve().parents[4]
    services = tmp_path / "services"
    shutil.copytree(root / "services" / "echo", services / "echo")
    lines = 'namespace = "urn:e"\npath = "/e"\nscenario = 5\ntrust = ["clients"]\n'
    pages = {}
    for text, process in (("page = false\n", "index = true\n"), ("", "")):
        (services / "echo" / "service.toml").write_text(lines + text)
        (services / "provider.toml").write_text(process)
        app = create_app(services, keys=keys, environ={})
        pages[text] = get(app, "/e").headers["Content-Type"], get(app, "/").status
        app.close()
    assert pages == {
        "page = false\n": ("text/plain; charset=utf-8", 200),
        "": ("text/html; charset=utf-8", 404),
    }
