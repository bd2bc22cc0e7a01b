"""Nothing that a configuration, a docstring, a policy or a certificate says becomes a part of the page."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from spyne import ServiceBase, Unicode, rpc

from tests.unit.server.pages import paged
from wsprovider.keyring.material import Certificate
from wsprovider.policy.model import HeaderPart, Parts
from wsprovider.scenarios.catalogue import find
from wsprovider.server.pages import style
from wsprovider.server.pages.page import Shown, index, page

EVIL = "</pre><script>alert(1)</script><img src=x onerror='a'> \"'`${x}\\u0022 \u202e\x1b]]>&lt;--"
KEPT = EVIL.replace("\u202e", "\ufffd").replace("\x1b", "\ufffd")
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "style",
        "body",
        "header",
        "h1",
        "h2",
        "h3",
        "p",
        "span",
        "a",
        "ul",
        "li",
    ),
    *(
        "code",
        "div",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "defs",
        "pattern",
        "rect",
        "path",
        "text",
        "circle",
        "dl",
    ),
    *(
        "dt",
        "dd",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
        "strong",
        "details",
        "summary",
        "pre",
        "button",
    ),
    "script",
}


def harmless(html):
    """Only elements and attributes that the page writes by itself, and one script."""
    assert {element.tag for element in html.root.iter()} <= TAGS
    attributes = {str(name) for element in html.root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}
    assert len(html.root.findall(".//script")) <= 1
    assert set(html.root.xpath("//@href")) <= {"data:,", "?wsdl", "?certificate"}
    assert not html.root.xpath("//@src")


def hostile_facts(**changes):
    return replace(paged.facts(find("5").policy()), **changes)


def read(html):
    return "".join(html.root.itertext())


def test_names():
    facts = hostile_facts(name=EVIL, scenario=EVIL, namespace=EVIL)
    html = paged.Html.of(facts)
    harmless(html)
    assert html.root.findtext(".//h1") == KEPT
    assert KEPT in html.root.xpath("//code/text()")
    assert any(json.dumps(EVIL, ensure_ascii=False)[1:9] in text for text in html.root.xpath("//pre/text()"))


def test_what_an_operation_says():
    facts = hostile_facts()
    (one,) = facts.operations
    (member,) = one.parameters
    evil = replace(member, name=EVIL, type=EVIL)
    operation = replace(
        one, name=EVIL, input=EVIL, action=EVIL, note=EVIL, parameters=(evil,), results=(evil,)
    )
    names = replace(facts.names, service=EVIL, port=EVIL, binding=EVIL, port_type=EVIL, definitions=EVIL)
    html = paged.Html.of(replace(facts, operations=(operation,), names=names))
    harmless(html)
    assert read(html).count(KEPT) >= 5


def test_docstrings_as_spyne_has_them():
    class Documented(ServiceBase):
        @rpc(Unicode, _returns=Unicode)
        def echo(ctx, text):  # noqa: N805
            """</td><script>alert(1)</script> & more"""
            return text

    html = paged.Html.of(paged.facts(find("5").policy(), services=(Documented,)))
    harmless(html)
    assert "</td><script>alert(1)</script> & more" in read(html)


def test_what_a_policy_names():
    policy = find("6").policy()
    (one,) = policy.alternatives
    parts = Parts(body=True, headers=(HeaderPart(EVIL, "<b>"), HeaderPart(EVIL)))
    changed = replace(one, signed_parts=parts, required_headers=(HeaderPart("urn:x", "<i onload='x'>"),))
    html = paged.Html.of(paged.facts(replace(policy, alternatives=(changed,))))
    harmless(html)
    assert "<b>" in read(html)
    assert "<i onload='x'>" in read(html)


def test_what_a_certificate_says():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "<script>\x1balert(1)</script>\"'&")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, now, now + timedelta(days=1))
    certificate = Certificate.from_x509(builder.sign(key, hashes.SHA256()))
    html = paged.Html.of(paged.facts(find("5").policy()), (Shown(certificate, "in use", "all"),))
    harmless(html)
    assert "alert(1)" in html.text
    assert certificate.fingerprint[:4] in read(html)


@pytest.mark.parametrize("mark", ['"', "'", "\\", "`", "$", "<", "\n", "%"])
def test_a_name_ends_no_string_of_a_program(mark):
    """Java, Python and JavaScript read the namespace back as it is; JSON's strings are theirs, too."""
    namespace = f"urn:a{mark}b"
    texts = paged.Html.of(hostile_facts(namespace=namespace)).snippets()
    (java,) = (text for name, text in texts["Apache CXF"].items() if name.endswith(".java"))
    line = next(line for line in java.splitlines() if "String NAMESPACE" in line)
    assert json.loads(line.partition("= ")[2].rstrip(";")) == namespace


def test_the_list_of_endpoints():
    html = paged.Html.of(index([("echo/one", hostile_facts(name=EVIL))]).encode())
    assert html.root.findtext(".//td/a") == KEPT
    assert {element.tag for element in html.root.iter()} <= TAGS - {"script"}


def test_the_policy_of_the_content_names_what_the_page_has():
    html = paged.Html.of(paged.facts(find("5").policy()))
    for kind, source in (("style", style.STYLE), ("script", style.SCRIPT)):
        inside = re.search(rf"<{kind}>(.*?)</{kind}>", page(paged.facts(find("5").policy()), ()), re.DOTALL)[
            1
        ]
        assert inside == source
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in style.CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in style.CONTENT_SECURITY_POLICY
    assert "unsafe" not in style.CONTENT_SECURITY_POLICY
    assert "http" not in re.sub(r"sha256-\S+", "", style.CONTENT_SECURITY_POLICY)
    assert not html.root.xpath("//@style")
