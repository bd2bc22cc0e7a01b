"""What a policy demands of an accepted message, looked up beside the engine: in what was sent and what was served."""

import base64
import re
from collections.abc import Iterator

from lxml import etree

from tests.fuzz.facts import Facts, sent_body, sent_tree
from tests.fuzz.recipe import Recipe
from tests.fuzz.samples import Sample, canonical
from tests.simulator import bend
from wsprovider.crypto.algorithms import DIGESTS
from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.policy.requirements import MessageRequirements
from wsprovider.words import namespaces as ns

TOKEN = f"{bend.SECURITY}/wsse:UsernameToken"


def unmet(message: bytes, recipe: Recipe, verified: VerifiedRequest) -> Iterator[str]:
    """Demands that an accepted message does not meet, whoever sent it."""
    required = verified.way.requirements.request
    for one in _to_be_signed(verified, required):
        if not any(
            _covers(reference, one, required) for reference in verified.root.iter(f"{{{ns.DS}}}Reference")
        ):
            yield f"nothing signs the {etree.QName(one).localname}: {canonical(one)[:300]!r}"
    yield from _foreign(verified.root, required)
    sent = sent_tree(message, recipe)
    if sent is None:
        return
    yield from _foreign(sent, required)
    body = "/*/s:Body|/*/s12:Body"
    if required.encrypted.body and not bend.every(sent, f"({body})/xenc:EncryptedData"):
        yield "a Body in the clear: it was to be encrypted"
    if any(one.encrypted for one in required.usernames) and bend.every(sent, TOKEN):
        yield "a UsernameToken in the clear: it was to be encrypted"


def _to_be_signed(verified: VerifiedRequest, required: MessageRequirements) -> Iterator[etree._Element]:
    if required.timestamp:
        yield from bend.every(verified.root, bend.TIMESTAMP)
    if required.signed.body:
        yield verified.body
    if any(one.signed for one in required.usernames) and not required.encrypt_before_signing:
        yield from bend.every(verified.root, TOKEN)


def _covers(reference: etree._Element, target: etree._Element, required: MessageRequirements) -> bool:
    """Whether a Reference names an element and its digest holds (of a cipher text that is gone: names it)."""
    if reference.get("URI") not in {f"#{target.get(bend.WSU_ID)}", f"#{target.get('Id')}"}:
        return False
    if required.encrypt_before_signing and etree.QName(target).localname != "Timestamp":
        return True
    method = bend.one(reference, "ds:DigestMethod").get("Algorithm", "")
    prefixes = " ".join(
        one.get("PrefixList", "") for one in reference.iter(f"{{{ns.EXC_C14N}}}InclusiveNamespaces")
    ).split()
    octets = etree.tostring(
        target,
        method="c14n",
        exclusive=True,
        with_comments=False,
        with_tail=False,
        inclusive_ns_prefixes=prefixes,
    )
    value = base64.b64encode(DIGESTS[method].digest(octets)).decode()
    return re.sub(r"\s", "", reference.findtext(f"{{{ns.DS}}}DigestValue") or "") == value


def _foreign(root: etree._Element, required: MessageRequirements) -> Iterator[str]:
    """Algorithms in the Security header and the Body that the suite does not have."""
    suite = required.suite
    transports = {one.method for one in suite.key_transports}
    allowed = {
        f"{{{ns.DS}}}SignatureMethod": {*suite.asymmetric_signatures, *suite.symmetric_signatures},
        f"{{{ns.DS}}}DigestMethod": {
            *suite.digests,
            *(one.digest for one in suite.key_transports if one.digest),
        },
        f"{{{ns.XENC}}}EncryptionMethod": {*suite.encryptions, *transports},
    }
    for tag, methods in allowed.items():
        for one in root.iter(tag):
            if one.get("Algorithm") not in methods:
                yield f"an algorithm that is not in the suite: {one.get('Algorithm')}"


def insiders_doubt(
    message: bytes, recipe: Recipe, verified: VerifiedRequest, facts: Facts, sample: Sample, callers: set[str]
) -> str:
    """Why what was accepted of a hostile partner is not what he signed and encrypted; empty if it is."""
    if facts.principal not in callers:
        return f"another caller: {facts.principal}"
    secrets = {secret for letter in sample.letters.values() for secret in letter.secrets}
    sent = sent_body(message, recipe, verified, tuple(secrets))
    if sent is not None and sent != facts.body:
        return f"another Body than was sent: {sent[:300]!r} {facts.body[:300]!r}"
    return ""
