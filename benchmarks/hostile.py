"""Messages that are made to cost: each within the default limits of what is counted before it is looked at.

A maker takes an attacker and about how many bytes it may send. Where a scenario lets strangers in (3, 4, 6:
anonymous senders) the attacker is one; elsewhere it is the development client, who can sign.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from benchmarks.payloads import Payload
from benchmarks.served import Served
from tests.simulator.bend import SECURITY, Change, bend, element, insert, one, resign, secret_of
from tests.simulator.world import ECHO
from wsprovider.adapters.keys.pem import load_private_key
from wsprovider.exchange.initiator import Pending
from wsprovider.soap.version import SOAP_11
from wsprovider.words import algorithms as alg
from wsprovider.words import namespaces as ns
from wsprovider.words import uris

_HUGE: Final = etree.XMLParser(huge_tree=True)
_MARK: Final = b"HERE"


class Attacker:
    """Somebody who sends to a scenario what they like, properly protected."""

    def __init__(self, served: Served, number: str) -> None:
        """Take up a client's part; in conversations, one is open."""
        self.number = number
        self._client = served.client(number)
        self._key = load_private_key((served.keys / "development" / "client-1.key.pem").read_bytes(), None)

    def honest(self, payload: Payload) -> bytes:
        """A message that nobody would mind."""
        return self._client.request(payload(SOAP_11, "echo"), version=SOAP_11).data

    def pending(self, inner: bytes, declared: bytes = b"") -> Pending:
        """A request with this content below its first element."""
        body = (
            f'<s:Body xmlns:s="{ns.SOAP11}" xmlns:e="{ECHO}"><e:echo><e:xml>'.encode()
            + b"<r%b>%b</r></e:xml></e:echo></s:Body>" % (declared, inner)
        )
        return self._client.request(etree.fromstring(body, _HUGE), version=SOAP_11, exact=True)

    def send(self, inner: bytes, declared: bytes = b"") -> bytes:
        """The message of it."""
        return self.pending(inner, declared).data

    def again(self, pending: Pending, *changes: Change) -> bytes:
        """A request that was changed, and signed anew where this scenario signs."""
        if self.number in ("1", "4"):
            return bend(pending.data, *changes)
        signing = resign(key=self._key) if self.number in ("2", "5") else resign(secret=secret_of(pending))
        return bend(pending.data, *changes, signing)


def repeated(unit: bytes, size: int, most: int = 190_000) -> bytes:
    """A unit as often as it fits."""
    return unit * max(1, min(most, size // len(unit)))


Maker = Callable[[Attacker, int], bytes]


@dataclass(frozen=True, slots=True)
class Shape:
    """A Body that is drawn by numbers; the search turns them."""

    scope: int = 1
    rendered: int = 0
    uri: int = 10
    attributes: int = 0
    prefixes: int = 0
    depth: int = 1
    text: int = 0
    reference: bool = False
    listed: int = 0

    def __call__(self, attacker: Attacker, size: int) -> bytes:
        """The message."""
        declared = b"".join(
            b" xmlns:p%d='urn:%b%d'" % (i, b"x" * self.uri, i) for i in range(min(self.scope, 56))
        ) + b"".join(b" p%d:a=''" % i for i in range(min(self.rendered, self.scope)))
        attributes = b"".join(
            b" p%d:a%d=''" % (i % self.prefixes, i) if self.prefixes else b" a%d=''" % i
            for i in range(self.attributes)
        )
        text = b"&#13;" * self.text if self.reference else b"x" * self.text
        deep = max(1, self.depth)
        unit = (b"<a%b>" % attributes) * (deep - 1) + b"<a%b/>" % attributes + text + b"</a>" * (deep - 1)
        pending = attacker.pending(repeated(unit, size - len(declared), 190_000 // deep), declared)
        if not self.listed or attacker.number == "1":
            return pending.data
        return _listed(attacker, pending, [f"p{i}" for i in range(min(self.listed, self.scope))])

    def turned(self, dice: random.Random) -> "Shape":
        """A neighbour."""
        choices: dict[str, tuple[object, ...]] = {
            "scope": (1, 8, 30, 56),
            "rendered": (0, 1, 16, 56),
            "uri": (1, 10, 40, 200, 2_000),
            "attributes": (0, 1, 3, 20, 100, 200),
            "prefixes": (0, 1, 2, 16, 56),
            "depth": (1, 3, 20, 80),
            "text": (0, 1, 5, 30),
            "reference": (False, True),
            "listed": (0, 0, 0, 1, 8, 32),
        }
        names = dice.sample(sorted(choices), dice.choice((1, 1, 2)))
        found = replace(self, **{name: dice.choice(choices[name]) for name in names})  # type: ignore[arg-type]
        return replace(found, prefixes=min(found.prefixes, found.scope))


def _listed(attacker: Attacker, pending: Pending, prefixes: list[str]) -> bytes:
    """The request with a PrefixList in each of its canonicalisations."""

    def change(root: etree._Element) -> None:
        for transform in root.iter(f"{{{ns.DS}}}Transform"):
            if transform.get("Algorithm") == alg.EXC_C14N:
                listed = f'<ec:InclusiveNamespaces PrefixList="{" ".join(prefixes)}"/>'
                transform.append(element(listed))

    return attacker.again(pending, change)


def _inside(inner: bytes) -> Maker:
    """Put into the bytes afterwards, as the client's own tree has no comments; the digest is wrong then."""

    def make(attacker: Attacker, size: int) -> bytes:
        data = attacker.send(_MARK)
        return data.replace(_MARK, b"x" * (size // 2) + repeated(inner, size // 2, 10**7))

    return make


def _in_header(unit: bytes, count: int) -> Maker:
    def make(attacker: Attacker, size: int) -> bytes:
        data = attacker.send(b"x")
        at = data.index(b"Header>") + len("Header>")
        return data[:at] + repeated(unit, size, count) + data[at:]

    return make


def _signatures(attacker: Attacker, size: int) -> bytes:
    """The Body in three signatures; they are the same but for their ids."""
    pending = attacker.pending(repeated(b"<a/>x", size))
    data = pending.data
    begin, end = data.find(b"<ds:Signature "), data.find(b"</ds:Signature>") + len("</ds:Signature>")
    if begin < 0:
        return data
    whole = data[begin:end]
    copies = b"".join(whole.replace(b' Id="', b' Id="c%d-' % i, 1) for i in range(2))
    return data[:end] + copies + data[end:]


def _ciphers(attacker: Attacker, size: int) -> bytes:
    """As many EncryptedData in the Security header as it may hold; nobody's key."""
    octets = "A" * (max(4, size // 30) // 4 * 4)
    data = [
        element(
            f'<xenc:EncryptedData Id="e{i}" Type="{uris.TYPE_ELEMENT}"><xenc:EncryptionMethod Algorithm='
            f'"{alg.AES256_CBC}"/><xenc:CipherData><xenc:CipherValue>{octets}</xenc:CipherValue>'
            "</xenc:CipherData></xenc:EncryptedData>"
        )
        for i in range(29)
    ]
    return bend(attacker.send(b"x"), lambda root: one(root, SECURITY).extend(data))


def _certificates(attacker: Attacker, size: int) -> bytes:
    """Tokens that nothing names, as long as a field may be."""
    token = (
        f'<wsse:BinarySecurityToken EncodingType="{uris.BASE64_BINARY}" ValueType="{uris.X509_V3}">'
        f"{'A' * min(16_384, max(4, size // 5 // 4 * 4))}</wsse:BinarySecurityToken>"
    )
    return bend(attacker.send(b"x"), *(insert(SECURITY, token) for _ in range(5)))


def _names(attacker: Attacker, size: int) -> bytes:
    """Names that nobody has used before: libxml2 keeps them."""
    first = random.randrange(1 << 40)
    return attacker.send(b"".join(b"<n%x/>" % (first + i) for i in range(min(190_000, size // 14))))


_WSU: Final = f" xmlns:u='{ns.WSU}'".encode()
CASES: Final[Mapping[str, Maker]] = {
    "empty elements": lambda one, size: one.send(repeated(b"<a/>", size)),
    "elements and text": lambda one, size: one.send(repeated(b"<a/>x", size)),
    "more elements than allowed": lambda one, size: one.send(b"y").replace(
        b">y<", b">" + repeated(b"<a/>", size, 10**8) + b"<"
    ),
    "90 levels, again and again": Shape(depth=90),
    "100 levels and more": lambda one, size: one.send(_MARK).replace(
        _MARK, b"<a>" * (size // 7) + b"</a>" * (size // 7)
    ),
    "200 attributes": Shape(attributes=200),
    "200 attributes of 56 namespaces": Shape(scope=56, attributes=200, prefixes=56, uri=20),
    "56 namespaces in scope": Shape(scope=56),
    "56 namespaces rendered": Shape(scope=56, rendered=56),
    "56 namespaces and a PrefixList of 32": Shape(scope=56, listed=32),
    "2,000 namespaces": lambda one, size: one.send(repeated(b"<a xmlns='urn:a'/>", size, 1_990)),
    "one long namespace that siblings repeat": lambda one, size: one.send(
        repeated(b"<p:a/>", size // 2), b" xmlns:p='urn:%b'" % (b"x" * (size // 2))
    ),
    "namespaces of 200 letters": lambda one, size: one.send(
        repeated(b"<p:a/>", size), b" xmlns:p='urn:%b'" % (b"x" * 200)
    ),
    "ids of the application": lambda one, size: one.send(
        repeated(b"<a Id='x'/><a ID='' AssertionID=''/>", size)
    ),
    "ids of two kinds": lambda one, size: one.send(repeated(b"<a u:Id='x'/><a Id=''/>", size), _WSU),
    "character references": Shape(text=30, reference=True),
    "comments": _inside(b"y<!---->"),
    "CDATA sections": _inside(b"y<![CDATA[z]]>"),
    "new names": _names,
    "header blocks": _in_header(b"<h:b xmlns:h='urn:h'/>", 99),
    "more header blocks than allowed": _in_header(b"<h:b xmlns:h='urn:h'/>", 1_900),
    "addressing headers": _in_header(f"<RelatesTo xmlns='{ns.WSA_200508}'>urn:x</RelatesTo>".encode(), 99),
    "blanks in the Security header": lambda one, size: one.send(b"x").replace(
        b"</wsse:Security>", b" " * min(size, 9_000_000) + b"</wsse:Security>"
    ),
    "three signatures over the Body": _signatures,
    "thirty cipher texts": _ciphers,
    "five tokens": _certificates,
}
