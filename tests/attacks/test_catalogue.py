"""The catalogue as a whole: every entry is shown somewhere, or named with the place where it is."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.attacks.beside import BESIDE, ELSEWHERE
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

TESTS = Path(__file__).resolve().parents[1]
TABLES = {
    "documents": DOCUMENTS,
    "soap_layer": SOAP,
    "header_structure": HEADERS,
    "signatures": SIGNATURES,
    "encryption": ENCRYPTION,
    "addressing_headers": ADDRESSING,
    "username_tokens": TOKENS,
    "times": TIMES,
    "conversations": CONVERSATIONS,
    "kerberos_tickets": TICKETS,
}
"""By the module ``test_<name>`` that runs them."""
ROWS = [row for table in TABLES.values() for row in table]
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
    "M": 15,
    "N": 6,
    "O": 7,
    "P": 10,
}


def test_every_entry_is_shown_somewhere():
    every_id = {f"{group}{number:02}" for group, last in CATALOGUE.items() for number in range(1, last + 1)}
    assert len(every_id) == 203
    rows = {row.id[:3] for row in ROWS}
    assert rows <= every_id
    assert BESIDE.keys() <= every_id
    assert every_id - rows - BESIDE.keys() == ELSEWHERE.keys()


@pytest.mark.parametrize("place", sorted({place for places in BESIDE.values() for place in places}))
def test_what_is_shown_beside_the_rows_is_there(place):
    file, _, name = place.partition("::")
    functions = ast.walk(ast.parse((TESTS / file).read_text(encoding="utf-8")))
    assert name in {found.name for found in functions if isinstance(found, ast.FunctionDef)}


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


def test_the_page_of_the_handbook_has_every_row():
    """What the run adds to it is compared by the last of the live tests."""
    from tests.attacks.page import TARGET, beginning, lines_beside

    page = TARGET.read_text(encoding="utf-8").splitlines()
    wanted = Counter(beginning(row) for row in ROWS)
    found = Counter(
        match[0] for line in page if (match := re.match(r"\| [AC-P]\d\d \| [^|]* \|", line)) is not None
    )
    assert found == wanted, "run the live tests, then python -m tests.attacks.page"
    assert not {line for group in CATALOGUE for line in lines_beside(group)} - set(page)
