"""One variant: a catalogue entry, what is sent, who could send it, and which answers are right."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from lxml import etree

from wsprovider.attack.bend import BODY, HEADER, SECURITY, Change, Unbendable, element, insert, one
from wsprovider.attack.caller import Genuine, Step
from wsprovider.attack.forge import reencrypt
from wsprovider.attack.line import Letter, letter
from wsprovider.policy.requirements import Protection

BODY_DATA = f"{BODY}/xenc:EncryptedData"
UT = f"{SECURITY}/wsse:UsernameToken"
TOKEN_DATA = f"{SECURITY}/xenc:EncryptedData"
EK = f"{SECURITY}/xenc:EncryptedKey"
LIST = f"{SECURITY}/xenc:ReferenceList"
SIGNATURE = f"{SECURITY}/ds:Signature"
INFO = f"{SIGNATURE}/ds:SignedInfo"
REFERENCE = f"({INFO}/ds:Reference)[1]"
STR = f"{SIGNATURE}/ds:KeyInfo/wsse:SecurityTokenReference"
BST = f"{SECURITY}/wsse:BinarySecurityToken[contains(@ValueType,'X509')]"
TICKET = f"{SECURITY}/wsse:BinarySecurityToken[contains(@ValueType,'Kerberosv5_AP_REQ')]"
SCT = f"{SECURITY}/*[local-name()='SecurityContextToken']"


class Sender(Enum):
    """Who could send a variant."""

    STRANGER = "a stranger who has the bytes"
    PARTNER = "a partner who signs"


class Answers(Enum):
    """Which refusals are right."""

    UNIFORM = "the uniform security fault"
    DOCUMENTED = "the uniform fault, or one that SOAP or its relatives name"
    ANY = "a documented fault, or an HTTP status of 400 to 499 (501, too)"


Make = Callable[[Genuine], Letter]
"""Makes what is sent out of a fresh genuine message.

Raises:
    Unbendable: this message has nothing of the kind.
"""


@dataclass(frozen=True)
class Variant:
    """One row of the catalogue.

    Attributes:
        entry: of the catalogue of bad inputs (docs/attacks.md), such as ``E01``.
        what: a few words.
        again: the genuine message is sent first, and accepted.
        steps: the messages that are bent.
    """

    entry: str
    what: str
    sender: Sender
    make: Make
    answers: Answers = Answers.UNIFORM
    again: bool = False
    steps: frozenset[Step] = frozenset(Step)

    @property
    def name(self) -> str:
        """What tells it from the others."""
        return f"{self.entry} {self.what}"

    def made(self, genuine: Genuine) -> Letter:
        """What is sent.

        Raises:
            Unbendable: the variant says nothing of this message; why.
        """
        if genuine.step not in self.steps:
            raise Unbendable(f"not for the {genuine.step.value}")
        return self.make(genuine)


# how rows are made -------------------------------------------------------------------------------


def changed(entry: str, what: str, *several: Change, answers: Answers = Answers.UNIFORM) -> Variant:
    """A stranger changes the tree on its way."""
    return Variant(entry, what, Sender.STRANGER, lambda g: sent(g, g.bent(*several)), answers)


def forged(entry: str, what: str, *several: Change, answers: Answers = Answers.UNIFORM) -> Variant:
    """A partner changes the tree, and makes the signature hold after it."""
    return Variant(entry, what, Sender.PARTNER, lambda g: sent(g, g.forged(*several)), answers)


def raw(
    entry: str, what: str, change: Callable[[bytes], bytes], answers: Answers = Answers.DOCUMENTED
) -> Variant:
    """A stranger changes the bytes."""

    def make(genuine: Genuine) -> Letter:
        data = change(genuine.data)
        if data == genuine.data:
            raise Unbendable("the message does not hold what is replaced")
        return sent(genuine, data)

    return Variant(entry, what, Sender.STRANGER, make, answers)


def content(entry: str, what: str, change: Change, answers: Answers = Answers.DOCUMENTED) -> Variant:
    """A partner protects another Body as the policy wants it."""
    return Variant(entry, what, Sender.PARTNER, lambda g: sent(g, g.other(change)), answers)


def wire(
    entry: str, what: str, change: Callable[[Letter], Letter], answers: Answers = Answers.ANY
) -> Variant:
    """A stranger sends the genuine bytes by another HTTP request."""
    return Variant(entry, what, Sender.STRANGER, lambda g: change(g.letter), answers)


def built(
    entry: str, what: str, make: Callable[[Genuine], bytes], answers: Answers = Answers.UNIFORM
) -> Variant:
    """A partner makes a message of his own."""
    return Variant(entry, what, Sender.PARTNER, lambda g: sent(g, make(g)), answers)


def plaintext(entry: str, what: str, change: Callable[[bytes], bytes], *, path: str = BODY_DATA) -> Variant:
    """A partner encrypts something else under the right key."""

    def make(genuine: Genuine) -> bytes:
        if not sealable(genuine):
            raise Unbendable("no ciphertext whose key its sender has")
        return genuine.bent(reencrypt(path, genuine.secret, change))

    return built(entry, what, make)


def only(step: Step, variants: list[Variant]) -> list[Variant]:
    """The same for one step only."""
    return [replace(variant, steps=frozenset({step})) for variant in variants]


# what rows are made of ---------------------------------------------------------------------------


def sent(genuine: Genuine, data: bytes) -> Letter:
    """Bytes in the place of a genuine message."""
    return letter(data, genuine.action)


def sealable(genuine: Genuine) -> bool:
    """Whether its sender knows the key of its ciphertexts as it is."""
    wanted = genuine.requirements
    return wanted.protection is Protection.SYMMETRIC and not wanted.encryption_derived


def beside(xml: str) -> Change:
    """A header block beside Security."""
    return insert(HEADER, xml, 0)


def each_of(path: str, change: Change) -> Change:
    """Change the one element at a path, as if it were the root."""
    return lambda root: change(one(root, path))


def copied(root: etree._Element, path: str, identifier: str, name: str = "Id") -> etree._Element:
    """A copy of the first element at a path, with an id of its own."""
    found = etree.fromstring(etree.tostring(one(root, f"({path})[1]"), with_tail=False))
    found.set(name, identifier)
    return found


def octets(path: str, change: Callable[[bytes], bytes]) -> Change:
    """Change the octets that an element holds in Base64."""

    def bent(root: etree._Element) -> None:
        found = one(root, path)
        found.text = base64.b64encode(change(base64.b64decode(found.text or ""))).decode("ascii")

    return bent


def emptied(path: str, tag: str | None = None) -> Change:
    """Take all children away, or those of one name."""

    def change(root: etree._Element) -> None:
        found = one(root, path)
        for child in [child for child in found if tag in (None, child.tag)]:
            found.remove(child)

    return change


def multiplied(path: str, count: int, prefix: str, name: str = "Id") -> Change:
    """So many more of the first element at a path, each with an id of its own, as last children of Security."""

    def change(root: etree._Element) -> None:
        security = one(root, SECURITY)
        for number in range(count):
            security.append(copied(root, path, f"{prefix}{number}", name))

    return change


def listed(*identifiers: str) -> Change:
    """More DataReferences in the ReferenceList."""

    def change(root: etree._Element) -> None:
        for identifier in identifiers:
            one(root, LIST).append(element(f'<xenc:DataReference URI="#{identifier}"/>'))

    return change


def unreferenced(root: etree._Element, identifier: str) -> None:
    """Take the Reference to an id out of the signature.

    Raises:
        Unbendable: the signature does not cover it.
    """
    info = one(root, INFO)
    found = [child for child in info if child.get("URI") == f"#{identifier}"]
    if not found:
        raise Unbendable("the signature does not cover it")
    for reference in found:
        info.remove(reference)
