"""Groups J, K and N: time and replay, user names, Kerberos tickets."""

from collections.abc import Callable
from dataclasses import replace as but
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from wsprovider.attack.bend import (
    BODY,
    TIMESTAMP,
    WSU_ID,
    Unbendable,
    attribute,
    element,
    every,
    flip,
    insert,
    one,
    remove,
    text,
    within,
)
from wsprovider.attack.caller import Genuine, Step
from wsprovider.attack.line import Letter
from wsprovider.attack.variants import (
    SIGNATURE,
    TICKET,
    UT,
    Answers,
    Sender,
    Variant,
    built,
    changed,
    emptied,
    forged,
    octets,
    only,
    sent,
    unreferenced,
)
from wsprovider.header import token_reference
from wsprovider.header.times import format_time
from wsprovider.outbound.message import Credentials
from wsprovider.policy.requirements import Protection
from wsprovider.words import uris

CREATED: Final = f"{TIMESTAMP}/wsu:Created"
EXPIRES: Final = f"{TIMESTAMP}/wsu:Expires"
_PASSWORD: Final = f"{UT}/wsse:Password"
_MINUTE: Final = timedelta(minutes=1)
_YEARS: Final = timedelta(days=3_650)


def _dated(what: str, created: Callable[[Genuine], datetime], life: timedelta) -> Variant:
    """A Timestamp of another time that its sender has signed."""

    def make(genuine: Genuine) -> bytes:
        begin = created(genuine)
        moments = text(CREATED, format_time(begin)), text(EXPIRES, format_time(begin + life))
        return genuine.forged(*moments)

    return built("J01", what, make)


def _old(genuine: Genuine) -> datetime:
    allowed = genuine.caller.ourselves.freshness
    return genuine.caller.now - allowed.life - allowed.skew - _MINUTE


def _ahead(genuine: Genuine) -> datetime:
    return genuine.caller.now + genuine.caller.ourselves.freshness.future + _MINUTE


def _expired(genuine: Genuine) -> datetime:
    return genuine.caller.now - genuine.caller.ourselves.freshness.skew - 2 * _MINUTE


def _untimed(root: etree._Element) -> None:
    """No Timestamp, and no Reference to it."""
    found = one(root, TIMESTAMP)
    if every(root, SIGNATURE):
        unreferenced(root, found.get(WSU_ID, ""))
    within(found).remove(found)


def _again(what: str, make: Callable[[Genuine], bytes]) -> Variant:
    """The genuine message, and then a copy of it."""

    def made(genuine: Genuine) -> Letter:
        if not every(genuine.root, SIGNATURE) and not genuine.has(f"{UT}/wsse:Nonce"):
            raise Unbendable("nothing in it is there once only: TLS keeps it from strangers")
        return sent(genuine, make(genuine))

    return Variant("J03", what, Sender.STRANGER, made, again=True)


def _in_body(genuine: Genuine) -> bytes:
    """Another Body in clear, or another octet of its ciphertext."""
    if genuine.has(f"{BODY}/xenc:EncryptedData"):
        return genuine.bent(flip(f"{BODY}/xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", octet=3))
    return genuine.bent(attribute(f"{BODY}/*", "x", "y"))


TIMES = [
    _dated("older than a message may be", _old, _YEARS),
    _dated("of the future", _ahead, _MINUTE),
    _dated("expired by its own word", _expired, _MINUTE),
    _dated("Expires before Created", lambda g: g.caller.now, -_MINUTE),
    forged("J01", "no Timestamp", _untimed),
    forged("J01", "no Created", remove(CREATED)),
    forged("J01", "no time", text(CREATED, "now")),
    forged("J01", "a time without zone", lambda root: setattr(one(root, CREATED), "text", (one(root, CREATED).text or "").rstrip("Z"))),
    forged("J01", "a sixtieth second", text(CREATED, "2026-01-01T00:00:60Z")),
    forged("J01", "ValueType", attribute(CREATED, "ValueType", "xsd:dateTime")),
    forged("J01", "an unknown child", insert(TIMESTAMP, "<x:x/>")),
    changed("J01", "without a child", emptied(TIMESTAMP)),
    _again("the same message again", lambda g: g.data),
    _again("the same message with white space", lambda g: g.data + b"\n"),
    _again("the same header over another Body", _in_body),
    _again("the same signature, Base64 in lines", lambda g: g.bent(lambda root: setattr(
        one(root, f"{SIGNATURE}/ds:SignatureValue"), "text", "\n" + (one(root, f"{SIGNATURE}/ds:SignatureValue").text or "") + "\n"))),
]  # fmt: skip
"""Rows of time and replay."""


def _by(what: str, entry: str, change: Callable[[Credentials], Credentials]) -> Variant:
    """Another user name or password, protected as the policy wants it."""

    def make(genuine: Genuine) -> bytes:
        ours = genuine.caller.ourselves.credentials
        if ours is None or not genuine.requirements.usernames:
            raise Unbendable("nobody has a user name")
        return genuine.other(credentials=change(ours))

    return built(entry, what, make)


def _digested(change: Variant) -> Variant:
    """Only where the password is sent as a digest."""

    def make(genuine: Genuine) -> Letter:
        if not genuine.has(f"{UT}/wsse:Nonce"):
            raise Unbendable("no password digest")
        return change.make(genuine)

    return but(change, make=make)


def _no_token(genuine: Genuine) -> bytes:
    """The token that the policy wants, gone; the signature no longer says anything of it."""
    if not genuine.has(UT):
        raise Unbendable("no UsernameToken to be seen")
    return genuine.forged(remove(UT))


USERS = [
    _by("an unknown user", "K09", lambda ours: but(ours, username="no-such-user")),
    _by("a wrong password", "K09", lambda ours: but(ours, password="wrong password of the self-test")),  # noqa: S106
    _by("a blank behind the name", "K08", lambda ours: but(ours, username=f"{ours.username} ")),
    _by("the name in other letters", "K08", lambda ours: but(ours, username=ours.username.swapcase())),
    _by("a long name", "K08", lambda ours: but(ours, username="n" * 40_000)),
    _by("markup in the name", "K08", lambda ours: but(ours, username=f"{ours.username}<x/>")),
    _by("a very long password", "K13", lambda ours: but(ours, username="no-such-user", password="x" * 40_000)),
    changed("K01", "no password", remove(_PASSWORD)),
    changed("K02", "an empty password", text(_PASSWORD, "")),
    changed("K02", "an empty name", text(f"{UT}/wsse:Username", "")),
    changed("K02", "no name", remove(f"{UT}/wsse:Username")),
    changed("K03", "no type of password", attribute(_PASSWORD, "Type", None)),
    changed("K03", "an unknown type of password", attribute(_PASSWORD, "Type", "urn:x")),
    changed("K11", "a derived key", insert(UT, "<wsse11:Salt>AAAA</wsse11:Salt>")),
    changed("K11", "iterations", insert(UT, "<wsse11:Iteration>1</wsse11:Iteration>")),
    changed("K08", "an element in the name", insert(f"{UT}/wsse:Username", "<x:x/>")),
    built("D01", "no UsernameToken", _no_token),
    *(_digested(one_) for one_ in (
        changed("K05", "no nonce", remove(f"{UT}/wsse:Nonce")),
        changed("K05", "an empty nonce", text(f"{UT}/wsse:Nonce", "")),
        changed("K05", "a short nonce", text(f"{UT}/wsse:Nonce", "AA==")),
        changed("K05", "another nonce", flip(f"{UT}/wsse:Nonce")),
        changed("K06", "no Created", remove(f"{UT}/wsu:Created")),
        changed("K06", "an old token", text(f"{UT}/wsu:Created", "2020-01-01T00:00:00Z")),
    )),
]  # fmt: skip
"""Rows of user names."""


def _by_hash(root: etree._Element) -> None:
    """A ticket that was never shown, named by its hash."""
    found = one(root, TICKET)
    named = f"//wsse:SecurityTokenReference[wsse:Reference/@URI='#{found.get(WSU_ID)}']"
    for reference in every(root, named):
        new = element(token_reference.write_key_identifier(uris.KERBEROS_AP_REQ_SHA1, bytes(20)))
        reference.replace(reference[0], new[0])
    within(found).remove(found)


def _with_another(genuine: Genuine) -> bytes:
    """The ticket of another message of ours: its key signs nothing here."""
    if not genuine.has(TICKET):
        raise Unbendable("no ticket")
    other = genuine.caller.genuine(genuine.step)
    return genuine.bent(text(TICKET, one(other.root, TICKET).text or ""))


def _same_ticket(genuine: Genuine) -> bytes:
    """The AP-REQ of an accepted message in another one: its authenticator was seen (RFC 4120, section 3.2.3)."""
    if not genuine.has(TICKET) or genuine.requirements.protection is not Protection.SYMMETRIC:
        raise Unbendable("no ticket that signs")
    return genuine.forged(attribute(f"{BODY}/*", "x", "y"))


TICKETS = only(Step.CALL, [
    changed("N01", "one bit of the ticket", flip(TICKET, octet=60)),
    changed("N01", "one bit of the authenticator", flip(TICKET, octet=-1)),
    changed("N01", "the ticket cut", octets(TICKET, lambda whole: whole[: len(whole) // 2])),
    changed("N01", "bytes behind the ticket", octets(TICKET, lambda whole: whole + b"\0")),
    changed("N01", "an empty ticket", text(TICKET, "")),
    changed("N01", "a ticket of nothing", text(TICKET, "YAAA")),
    changed("N01", "a large ticket", text(TICKET, "YAAA" * 25_000)),
    changed("N02", "no ticket", lambda root: within(one(root, TICKET)).remove(one(root, TICKET))),
    changed("N03", "a ticket named by its hash that was never shown", _by_hash),
    changed("N04", "an unknown type of ticket", attribute(TICKET, "ValueType", f"{uris.KERBEROS_AP_REQ}x")),
    changed("N04", "a certificate's type", attribute(TICKET, "ValueType", uris.X509_V3)),
    built("N05", "the ticket of another message", _with_another),
    but(built("N06", "the ticket of an accepted message over another Body", _same_ticket), again=True, answers=Answers.UNIFORM),
])  # fmt: skip
"""Rows of Kerberos tickets."""
