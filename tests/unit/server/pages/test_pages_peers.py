"""What a page tells each client to do is what ``docs/peers`` tells, and what the live tests have shown to work."""

import re

import pytest

from tests.live.pages import block
from tests.unit.server.pages import paged
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.server.pages import snippets
from wsprovider.words.suites import SUITES

TABLE = (paged.ROOT / "docs" / "interoperability.md").read_text().partition("<!-- end -->")[0]
NAMES = {
    "CXF": "Apache CXF",
    "Metro": "Eclipse Metro",
    "Rampart": "Apache Rampart, WSO2",
    "WSS4J": "WSS4J",
    "gSOAP": "gSOAP",
    "node-soap": "node-soap",
    "zeep": "zeep (Python)",
}
DEVELOPMENT = {
    "your-alias": "client-1",
    "your-user": "alice",
    "your-password": "development",
    "client.p12": "client-1.p12",
}


def shown():
    """Who was shown to do what: client, suite, number."""
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in TABLE.splitlines()
        if line.startswith("|")
    ]
    for client, suite, *cells in rows:
        for number, cell in zip(header[2:], cells, strict=True):
            if cell != "-":
                yield NAMES[client.split()[0]], suite, number


def html_of(number, suite=None):
    return paged.Html.of(paged.facts(find(number).policy(SUITES[suite] if suite else None)))


def test_whoever_was_shown_to_do_it_is_told_how():
    pages, seen = {}, 0
    for client, suite, number in shown():
        html = pages.setdefault((suite, number), None) or html_of(number, suite)
        pages[suite, number] = html
        if (client, number) == ("Eclipse Metro", "16"):  # with a copy of the policy of its own
            assert "Once" in html.cannot()[client]
        elif client == "WSS4J" and number not in ("2", "5"):
            assert "no ready program" in html.cannot()[client]
        else:
            assert html.snippets()[client], (client, suite, number)
            seen += 1
    assert seen > 150


@pytest.mark.parametrize(
    ("client", "number", "suite", "why"),
    [
        ("zeep (Python)", "5", None, "encrypts nothing"),
        ("zeep (Python)", "9", None, "no conversations"),
        ("node-soap", "3", None, "a key of its own"),
        ("gSOAP", "5", None, "RSA 1.5"),
        ("gSOAP", "6", None, "a key of its own"),
        ("Eclipse Metro", "4", None, "no AES-GCM"),
        ("Apache Rampart, WSO2", "16", None, "no Kerberos"),
        ("Apache Rampart, WSO2", "7", None, "no AES-GCM"),
        ("WSS4J", "12", None, "no conversations"),
        ("Apache CXF", "5", "Basic256Rsa15", "RSA 1.5"),
    ],
)
def test_who_cannot_is_told_why(client, number, suite, why):
    html = html_of(number, suite)
    assert why in html.cannot()[client]
    assert client not in html.snippets()


def lines(text):
    for ours, theirs in DEVELOPMENT.items():
        text = text.replace(ours, theirs)
    return [line.strip() for line in text.splitlines()]


@pytest.mark.parametrize("row", SCENARIOS, ids=lambda row: row.slug)
@pytest.mark.parametrize(
    ("client", "doc", "files"),
    [
        ("Apache CXF", "cxf", ("client.properties", "endpoint.properties", "EchoClient.java")),
        ("Eclipse Metro", "metro", ("wsit-client.xml", "EchoClient.java")),
        ("Apache Rampart, WSO2", "rampart", ("rampart-config.xml", "EchoClient.java")),
        ("WSS4J", "wss4j", ("EchoClient.java",)),
    ],
)
def test_line_by_line_it_is_what_the_handbook_has(row, client, doc, files):
    """But for the request, which is the service's, and what the comments say of scenarios."""
    texts = paged.Html.of(paged.facts(row.policy())).snippets().get(client, {})
    for file in files:
        ours = lines(texts.get(file, ""))
        theirs = {*lines(block(doc, file)), ""}
        if file == "endpoint.properties" and row.slug == "kerberos":
            ours = [line for line in ours if not line.startswith("ws-security.kerberos.")]
        new = [line for line in ours if line not in theirs and not line.startswith(("#", "/**"))]
        assert not [line for line in new if not re.search(r"urn:wsprovider:echo|Content\(\)|s:Body>", line)]


def test_texts_without_places_are_the_handbooks():
    assert snippets.template("zeep-security") == block("zeep", "security")
    assert snippets.template("node-soap-clients") == block("node-soap", "clients")
    assert snippets.template("gsoap-secure") == block("gsoap", "secure.c")
    ours = (
        snippets.template("gsoap-build").replace("service.wsdl", "echo.wsdl").replace("service.h", "echo.h")
    )
    assert ours == block("gsoap", "build.sh")


@pytest.mark.parametrize("row", SCENARIOS, ids=lambda row: row.slug)
def test_no_place_is_left_open(row):
    for texts in paged.Html.of(paged.facts(row.policy())).snippets().values():
        for text in texts.values():
            assert not re.search(r"@[A-Z_]+@", text)


def test_only_what_is_needed():
    """A client with a password needs no key; one under GCM needs CXF's own properties."""
    told = html_of("8").snippets()["Apache CXF"]
    assert "keystore" not in told["client.properties"]
    assert "truststore" in told["client.properties"]
    assert "custom.alg" not in told["endpoint.properties"]
    assert "custom.alg" in html_of("7").snippets()["Apache CXF"]["endpoint.properties"]
    assert "security.username" not in html_of("5").snippets()["Apache CXF"]["endpoint.properties"]
    assert "client.properties" not in html_of("1").snippets()["Apache CXF"]
    aes128 = html_of("5", "Basic128GcmSha256").snippets()["Apache CXF"]["endpoint.properties"]
    assert "maximum.symmetric.key.length=128" in aes128
    assert "WSSecEncrypt encryption" not in html_of("2").snippets()["WSS4J"]["EchoClient.java"]
    assert "WSSecEncrypt encryption" in html_of("5").snippets()["WSS4J"]["EchoClient.java"]
