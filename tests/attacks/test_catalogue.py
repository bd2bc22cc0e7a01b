"""The catalogue as a whole: every entry is shown somewhere, or named with the place where it is."""

from tests.attacks.test_addressing_headers import ADDRESSING
from tests.attacks.test_conversations import CONVERSATIONS
from tests.attacks.test_documents import DOCUMENTS
from tests.attacks.test_encryption import ENCRYPTION
from tests.attacks.test_header_structure import HEADERS
from tests.attacks.test_kerberos_tickets import TICKETS
from tests.attacks.test_signatures import SIGNATURES
from tests.attacks.test_soap_layer import SOAP
from tests.attacks.test_times import TIMES
from tests.attacks.test_username_tokens import TOKENS
from tests.simulator.world import ECHO, World, issued
from wsprovider.exchange.initiator import addressing
from wsprovider.exchange.transport import Transport
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits

TABLES = (DOCUMENTS, SOAP, HEADERS, SIGNATURES, ENCRYPTION, ADDRESSING, TOKENS, TIMES, CONVERSATIONS, TICKETS)
CATALOGUE = {
    "A": 19,
    "B": 13,
    "C": 10,
    "D": 9,
    "E": 20,
    "F": 16,
    "G": 11,
    "H": 12,
    "I": 18,
    "J": 10,
    "K": 13,
    "L": 14,
    "N": 6,
    "O": 7,
    "P": 10,
}
BESIDE = {
    "test_signature_wrapping": "E01 E02 E03 E04 E05 E06 E07 E08 E17",
    "test_judges_rules": "E16 F14 G01 G04 G06 G07 G09 G10 G11 J03 J04 J06 J07 J08 J10 K10",
    "test_review_findings": "F11 I02 I06 J04 K07 A04 H07",
    "test_context_life": "L01 L03 L04 L05 L06 L07 L12 L13 L14 J03",
    "test_conversation_policies": "L02 L03 L11 L12 L13 D09 E16 F14 J03",
    "test_kerberos_tickets": "N01 N02 N03 N04 N05 N06",
    "test_kerberos_callers": "N01 N02 N06",
    "test_costs": "A08 A09 A11 H07 H08 I11 P07",
    "unit/header/test_header_times": "J01",
    "unit/header/test_header_children": "J05 D05",
    "unit/soap/test_soap_fault": "P01 P02 P03 P09",
    "properties": "A16 A19 F12 P06",
    "live/test_broken_peers": "B01 B02 B03 B04 B05 B06 B07 B08 B09 B11 B12 B13",
    "live/test_slow_peers": "B06",
    "live/test_connection_bounds": "B03 B05 B06",
    "unit/server/peers/test_chunks": "B05",
    "unit/server/test_server_http": "B01 B02 B03 B04 B13",
    "unit/server/test_server_transport": "B11",
    "unit/server/test_server_wsdl": "B12",
    "test_leaks": "P04 P05 P08 O06 O07",
}
ELSEWHERE = {
    "B10": "attachments are not supported: multipart is refused as a whole (B07)",
    "C06": "href and id are the server's protocols' matter (tests/unit/server)",
    "C07": "xsi:type and xsi:nil are read by Spyne, behind the schema (tests/unit/server)",
    "C08": "parameters are judged by the schema (tests/unit/server)",
    "E13": "XPath references are refused altogether (E12), so no prefix of one can be bound anew",
    "E20": "attachments are not supported: MIME is refused by the server",
    "G05": "revocation is the keyring's (tests/unit/keyring)",
    "H03": "the same as I12",
    "H10": "the order of work is counted by tests/unit/exchange/test_cost_counts.py",
    "J02": "the clock is an argument everywhere; its edges are J07's rows",
    "O03": "the same as C01",
    "P10": "health, metrics and WSDL belong to the server (tests/unit/server)",
}


def test_every_entry_is_shown_somewhere():
    every_id = {f"{group}{number:02}" for group, last in CATALOGUE.items() for number in range(1, last + 1)}
    rows = {row.id[:3] for table in TABLES for row in table}
    beside = {name for names in BESIDE.values() for name in names.split()}
    assert rows <= every_id
    assert beside <= every_id
    assert every_id - rows - beside == set(ELSEWHERE)


def test_the_client_may_have_a_certificate_of_tls_only():
    world = World("1")
    genuine = world.request()
    world.accept(
        genuine.data, transport=Transport(secure=True, client_certificate=issued("client").certificate)
    )


def test_addressing_that_is_right_is_let_in():
    for namespace in (ns.WSA_200508, ns.WSA_200408):
        world = World("3")
        blocks = addressing(
            to="http://localhost/echo", action=f"{ECHO}/echo", message_id="urn:a", namespace=namespace
        )
        assert world.call(blocks=blocks).verified.message_id == "urn:a"


def test_limits_are_let_in_up_to_the_last():
    world = World("3", limits=Limits(depth=102))
    genuine = world.request().data
    assert isinstance(world.refused(genuine.replace(b"hello", b"<a>" * 98 + b"</a>" * 98)), WSSecurityError)


def test_the_page_of_the_handbook_says_the_same():
    from tests.attacks.page import TARGET, page

    assert TARGET.read_text(encoding="utf-8") == page(), "run python -m tests.attacks.page"
