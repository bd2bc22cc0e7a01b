"""Scenario 16 under gunicorn with two workers and a throwaway KDC: our own client, honest and not."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.live.forged_tickets import Forged, Library
from tests.live.kdc import Kdc
from tests.live.kerberized import (
    BRIEF,
    BY_PASSWORD,
    DOCUMENTS,
    ELSEWHERE,
    HTTP,
    LIFE,
    OLD,
    OURS,
    ROLLING,
    ROLLING_KEYTAB,
    SERVICE_KEYTAB,
    SHORT,
    SLUG,
    USERS,
    WSO2S,
    drop,
    only,
)
from tests.live.kerberos_client import Client, Fixed, Remembering, another_form, login, raw, read, until
from tests.live.provider import ProviderProcess
from wsprovider.adapters.kerberos import Tickets, by_cache, by_keytab, by_password
from wsprovider.adapters.kerberos.ap_req import read_ap_req
from wsprovider.adapters.kerberos.keytab import parse_keytab
from wsprovider.policy.model import Policy
from wsprovider.ports import FreshTicket
from wsprovider.scenarios.catalogue import find
from wsprovider.soap.fault import refusal
from wsprovider.soap.version import SOAP_11, SOAP_12, SoapVersion
from wsprovider.words import uris
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason
from wsprovider.words.suites import SUITES

pytestmark = pytest.mark.live

LOOKS = 1.1
"""Seconds after which a worker looks whether the keytab has changed."""


def tickets(kdc: Kdc, service: str = HTTP, user: str = "alice") -> Tickets:
    """Where tickets come from: the KDC, by a user's password."""
    return Tickets(kdc.full(service), by_password(kdc.full(user), USERS[user]))


def client(provider: ProviderProcess, path: str, source: Any, **more: Any) -> Client:
    """Our own client of a place."""
    suite = SUITES["Basic256"] if path.startswith("/wso2") else None
    document = {**DOCUMENTS, **SHORT}.get(path)
    known: Policy = find(SLUG).policy(suite) if document is None else read(document)
    return Client(provider, path, known, source, secure=path == "/transport", **more)


def refused(one: Client, message: bytes, path: str | None = None) -> tuple[str, str]:
    """Reason and detail in the log; outside there is the one fault, whatever the reason."""
    since = one.provider.logged()
    answer = one.send(message, path)
    (line,) = one.provider.requests(since, 1)
    uniform = refusal(WSSecurityError(Reason.SIGNATURE_VALUE), one.soap)
    assert answer == (uniform.status, uniform.data)
    return line["reason"], line.get("detail", "")


@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12], ids=["1.1", "1.2"])
@pytest.mark.parametrize("path", [OURS, WSO2S, *DOCUMENTS])
def test_our_client(kdc: Kdc, kerberized: ProviderProcess, path: str, soap: SoapVersion) -> None:
    """Under the scenario, and under every document."""
    one = client(kerberized, path, tickets(kdc), soap=soap)
    assert one.call(path) == path


def test_a_client_with_a_cache_a_keytab_or_a_password(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """The name that the service sees is the ticket's."""
    principal = kdc.full("alice")
    cache = login(kdc, "alice", USERS["alice"])
    keytab = kdc.keytab("alice", file="alice.keytab")
    for acquire in (by_cache(cache), by_keytab(keytab, principal), by_password(principal, USERS["alice"])):
        one = client(kerberized, OURS, Tickets(kdc.full(HTTP), acquire))
        assert {one.call("who") for _ in range(3)} == {f"{principal} by kerberos ticket, []"}


def test_names_and_roles(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """A principal is called by its name here, whose roles the user store knows."""
    for path, name in {
        "/names": "alice by kerberos ticket, []",
        "/strip": "alice by kerberos ticket, []",
        "/roles": "alice by kerberos ticket, ['admin', 'user']",
    }.items():
        since = kerberized.logged()
        assert client(kerberized, path, tickets(kdc)).call("who") == name
        (line,) = kerberized.requests(since, 1)
        assert line["principal"] == "alice"
    bob = {
        path: client(kerberized, path, tickets(kdc, user="bob")) for path in ("/names", "/strip", "/roles")
    }
    assert bob["/names"].call("who") == "bob@TEST.LOCAL by kerberos ticket, []"
    assert bob["/strip"].call("who") == "bob by kerberos ticket, []"
    assert refused(bob["/roles"], bob["/roles"].message().data)[0] == "USER_UNKNOWN"
    alice = client(kerberized, "/admins", tickets(kdc))
    assert refused(alice, alice.message().data)[0] == "ROLE_MISSING"


def test_a_service_by_its_password(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """As WSO2 asks for it, from a file or the environment."""
    for path in ("/password-file", "/password-env"):
        assert client(kerberized, path, tickets(kdc, BY_PASSWORD)).call(path) == path
        stray = client(kerberized, path, tickets(kdc))
        assert refused(stray, stray.message().data)[0] == "TICKET_SERVICE"


@pytest.mark.parametrize("value_type", [*uris.KERBEROS_AP_REQS, *uris.KERBEROS_GSS_AP_REQS])
def test_both_forms_by_all_their_names(kdc: Kdc, kerberized: ProviderProcess, value_type: str) -> None:
    """The same AP-REQ bare and wrapped; a form under the other's name is refused."""
    source = Remembering(tickets(kdc))
    one = client(kerberized, OURS, source)
    forms = {}
    for name in ("genuine", "astray"):
        message = one.message(name)
        assert source.last is not None
        wrapped = source.last.token
        assert read_ap_req(raw(wrapped)).wrapped == wrapped
        is_raw = value_type in uris.KERBEROS_AP_REQS
        forms[name] = another_form(
            message, raw(wrapped) if is_raw == (name == "genuine") else wrapped, value_type
        )
    assert one.send(forms["genuine"])[0] == 200
    assert refused(one, forms["astray"])[0] == "KERBEROS_TOKEN"


# two workers -------------------------------------------------------------------------------------


def test_copies_are_refused_by_both_workers(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """The message, and its AP-REQ under another one; other tickets of the same caller go on."""
    source = Remembering(tickets(kdc))
    one = client(kerberized, OURS, source)
    workers = kerberized.http_workers()
    assert len(workers) == 2
    for shown_to in workers:
        source.again = False
        first = one.message()
        source.again = True
        second = one.message("another")
        with only(kerberized, shown_to):
            assert one.answer(first) == "hello"
        for worker in workers:
            with only(kerberized, worker):
                assert refused(one, first.data)[0] == "REPLAY"
                assert refused(one, second.data)[0] == "REPLAY"
                assert refused(one, second.data, "/other")[0] == "REPLAY"
    source.again = False
    assert one.call() == "hello"


def test_of_two_copies_at_once_one_is_taken(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """Twenty copies in twenty connections."""
    one = client(kerberized, OURS, tickets(kdc))
    for _ in range(3):
        message, since = one.message().data, kerberized.logged()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda data: one.send(data)[0], [message] * 20))
        assert Counter(answers) == {200: 1, 500: 19}
        assert {line["reason"] for line in kerberized.requests(since, 20)} == {None, "REPLAY"}


def test_a_refused_message_leaves_the_ticket_good(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """Who copies a ticket from a message and is faster does its owner no harm."""
    source = Remembering(tickets(kdc))
    one = client(kerberized, OURS, source)
    genuine = one.message()
    thief = genuine.data.replace(b">hello<", b">hallo<")
    assert thief != genuine.data
    assert refused(one, thief)[0] == "DIGEST_MISMATCH"
    assert one.answer(genuine) == "hello"


def test_later_messages(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """What one worker was shown, the other knows by name; nobody else does."""
    source = Remembering(tickets(kdc))
    one = client(kerberized, OURS, source)
    workers = kerberized.http_workers()
    for shown_to in workers:
        shown = one.message()
        ticket = source.last
        assert ticket is not None
        early = one.named(ticket)
        assert refused(one, early.data)[0] == "TICKET_UNKNOWN"
        with only(kerberized, shown_to):
            assert one.answer(shown) == "hello"
        for worker in workers:
            with only(kerberized, worker):
                later = one.named(ticket, "who")
                assert one.answer(later) == "alice@TEST.LOCAL by kerberos ticket, []"
                assert refused(one, later.data)[0] == "REPLAY"
                assert refused(one, one.named(ticket).data, "/other")[0] == "TICKET_UNKNOWN"
        assert one.answer(early) == "hello"
        wrong = FreshTicket(ticket.token, bytes(len(ticket.key)), ticket.expires)
        assert refused(one, one.named(wrong).data)[0] == "SIGNATURE_VALUE"


def test_later_messages_turned_off(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """The usual case: every message shows a ticket."""
    source = Remembering(tickets(kdc))
    one = client(kerberized, "/forgetful", source)
    assert one.call() == "hello"
    assert source.last is not None
    later = one.named(source.last)
    assert refused(one, later.data) == ("TICKET_UNKNOWN", "later messages are turned off")


def test_the_end_of_a_ticket(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """A ticket of a few seconds: later messages, and new ones, end with it."""
    source = Remembering(tickets(kdc, BRIEF))
    one = client(kerberized, OURS, source)
    assert one.call() == "hello"
    ticket = source.last
    assert ticket is not None
    assert ticket.expires - datetime.now(UTC) <= timedelta(seconds=LIFE)
    assert one.answer(one.named(ticket)) == "hello"
    unused = one.message("too late")
    assert source.last is not None
    until(source.last.expires + timedelta(milliseconds=50))  # its own ticket may be a second younger
    assert refused(one, unused.data)[0] == "TICKET_EXPIRED"
    assert refused(one, one.named(ticket).data)[0] == "TICKET_UNKNOWN"
    assert client(kerberized, OURS, tickets(kdc, BRIEF)).call() == "hello"


def test_new_keys_refuse_nobody(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """The service's keys change while clients call: no message is refused until the old key is taken away."""
    stop, called = [False], Counter[str]()
    old = client(kerberized, "/rolling", tickets(kdc, ROLLING))
    assert old.call() == "hello"

    def go_on() -> None:
        while not stop[0]:
            assert old.call() == "hello"
            called["old"] += 1

    since = kerberized.logged()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(go_on)
        try:
            kdc.change_key(ROLLING)
            kdc.keytab(ROLLING, file=ROLLING_KEYTAB)
            new = client(kerberized, "/rolling", tickets(kdc, ROLLING))
            for _ in range(20):
                assert new.call() == "hello"
            time.sleep(0.2)
        finally:
            stop[0] = True
        running.result(30)
    assert called["old"] >= 5
    assert {line["reason"] for line in kerberized.requests(since)} == {None}
    versions = {key.kvno for key in parse_keytab((kdc.folder / ROLLING_KEYTAB).read_bytes())}
    assert versions == {1, 2}
    drop(kdc, ROLLING_KEYTAB, 1)
    time.sleep(LOOKS)
    for worker in kerberized.http_workers():
        with only(kerberized, worker):
            assert new.call() == "hello"
            assert refused(old, old.message().data)[0] == "TICKET_SERVICE"
    fresh = client(kerberized, "/rolling", tickets(kdc, ROLLING))
    assert fresh.call() == "hello"


# refused, and the twins that are accepted -----------------------------------------------------------


@pytest.fixture
def library(kdc: Kdc) -> Library:
    """libkrb5, which finds its configuration by the KDC's environment."""
    return Library()


def forge(kdc: Kdc, library: Library, **changes: Any) -> Fixed:
    """A ticket that only who has the service's key can write."""
    (key,) = (
        key
        for key in parse_keytab((kdc.folder / SERVICE_KEYTAB).read_bytes())
        if (str(key.principal), key.enctype) == (kdc.full(HTTP), 18)
    )
    now, session = datetime.now(UTC), os.urandom(32)
    ticket = Forged(HTTP, key.key, kvno=key.kvno, session=(18, session)).but(**changes)
    token = read_ap_req(ticket.token(library, now)).wrapped
    return Fixed(FreshTicket(token, session, now + ticket.ends))


MINUTE = timedelta(minutes=1)
WRONG: dict[str, tuple[dict[str, Any], str | None]] = {
    "in order": ({}, None),
    "a clock four minutes slow": ({"skew": -4 * MINUTE}, None),
    "a clock six minutes slow": ({"skew": -6 * MINUTE}, "TICKET_SKEW"),
    "a clock six minutes fast": ({"skew": 6 * MINUTE}, "TICKET_SKEW"),
    "expired": ({"begins": -60 * MINUTE, "ends": -10 * MINUTE}, "TICKET_EXPIRED"),
    "expired just now": ({"begins": -60 * MINUTE, "ends": timedelta(seconds=-2)}, "TICKET_EXPIRED"),
    "not yet valid": ({"begins": 10 * MINUTE}, "TICKET_EXPIRED"),
    "of another version of the key": ({"kvno": 7}, None),
    "for a service whose key is not ours": ({"secret": bytes(32)}, "TICKET_INVALID"),
    "that names another service": ({"service": ELSEWHERE}, "TICKET_SERVICE"),
    "of another realm's KDC": ({"realm": "OTHER.LOCAL"}, "TICKET_SERVICE"),
    "of a client of another realm": ({"client_realm": "OTHER.LOCAL"}, "TICKET_REALM"),
    "whose authenticator is somebody else's": ({"authenticator_client": "mallory"}, "TICKET_INVALID"),
    "whose checksum asks for an answer": ({"checksum": 2}, "TICKET_INVALID"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_forged(kdc: Kdc, kerberized: ProviderProcess, library: Library, name: str) -> None:
    """Each wrong has its Reason."""
    changes, reason = WRONG[name]
    one = client(kerberized, OURS, forge(kdc, library, **changes))
    if reason is None:
        assert one.call() == "hello"
    else:
        assert refused(one, one.message().data)[0] == reason


def test_genuine_tickets_that_are_not_for_us(kdc: Kdc, kerberized: ProviderProcess) -> None:
    """For another service, of a realm that may not call, of a type that is off, or tampered with."""
    for service, path, reason in (
        (ELSEWHERE, OURS, "TICKET_SERVICE"),
        (HTTP, "/realms", "TICKET_REALM"),
        (OLD, OURS, "TICKET_ENCTYPE"),
    ):
        one = client(kerberized, path, tickets(kdc, service))
        assert refused(one, one.message().data)[0] == reason
    assert client(kerberized, "/old", tickets(kdc, OLD)).call() == "hello"
    one = client(kerberized, OURS, Remembering(tickets(kdc)))
    for place in (-40, 200):
        message = one.message()
        assert isinstance(one.tickets, Remembering)
        assert one.tickets.last is not None
        octets = bytearray(one.tickets.last.token)
        octets[place] ^= 1
        tampered = another_form(message, bytes(octets), uris.KERBEROS_GSS_AP_REQ)
        assert refused(one, tampered)[0] == "TICKET_INVALID"
        assert one.answer(message) == "hello"
