"""What an archived message shows, in lines for a person: who, when, what, and what holds now."""

from collections.abc import Iterator
from datetime import datetime

from wsprovider.archive.proving import Proof, chain_of, covered
from wsprovider.archive.reading import Found
from wsprovider.exchange.principal import Proof as ProofKind
from wsprovider.inbound.evidence import CertificateKey, SecretKey, SignatureFact
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import RingSnapshot
from wsprovider.keyring.trust import AuthorityGroup
from wsprovider.policy.requirements import KeySource

Line = tuple[str, str]

_SHARED = {
    KeySource.ENCRYPTED_KEY: "the key of an EncryptedKey, which its sender and the service held",
    KeySource.CONTEXT: "the key of a security context, which its owner and the service held",
    KeySource.TICKET: "the key of a Kerberos ticket, which its holder, the service and the KDC held",
}
_PASSWORDS = (ProofKind.PASSWORD.value, ProofKind.PASSWORD_DIGEST.value)


def request_lines(found: Found, proof: Proof) -> Iterator[Line]:
    """What a request shows."""
    facts, tls = found.facts, found.facts["tls"]
    scenario = f", scenario {facts['scenario']}" if facts["scenario"] else ""
    yield "request", f"{found.record.name}, hash {found.record.hash.hex()}"
    yield "accepted", f"{_moment(found.at)} at {facts['endpoint']}{scenario} ({facts['stage']})"
    yield "operation", facts["operation"]
    if facts["message_id"]:
        yield "message id", facts["message_id"]
    roles = f", roles {', '.join(facts['roles'])}" if facts["roles"] else ""
    yield "caller", f"{facts['principal'] or 'nobody in particular'}, by {facts['proof']}{roles}"
    yield (
        "connection",
        f"from {tls['peer'] or 'an unknown address'}, {'by TLS' if tls['secure'] else 'without TLS'}",
    )
    if tls["certificate"]:
        yield "TLS client", Certificate.from_der(found.material(tls["certificate"])).subject
    if facts["context"]:
        yield "context", f"{facts['context']}: the request that opened it says who its owner is"
    yield from _proof_lines(found, proof)
    yield "worth", _worth(found, proof)


def reply_lines(found: Found, proof: Proof) -> Iterator[Line]:
    """What a reply shows."""
    yield "reply", f"{found.record.name}, hash {found.record.hash.hex()}"
    yield "sent", f"{_moment(found.at)}, HTTP status {found.facts['status']}"
    yield from _proof_lines(found, proof)


def _proof_lines(found: Found, proof: Proof) -> Iterator[Line]:
    evidence, snapshot = proof.evidence, proof.snapshot
    if evidence is None or snapshot is None:
        yield "judged again", f"DOES NOT HOLD: {proof.failure}"
        return
    yield "judged again", "holds: it meets the archived policy as of that moment"
    for number, fact in enumerate(evidence.signatures, start=1):
        yield f"signature {number}", _signature(fact)
        if isinstance(fact.key, CertificateKey):
            yield from _path(proof, snapshot, fact.key, found.at)
    for one in evidence.decryptions:
        what = "the content of" if one.content else "the element"
        yield "decrypted", f"{what} {one.element.tag.rpartition('}')[2]} ({one.method.rpartition('#')[2]})"


def _signature(fact: SignatureFact) -> str:
    method = fact.signature.method.rpartition("#")[2]
    about = f"{method}, verified now; covers {', '.join(covered(fact)) or 'nothing of the document'}"
    if isinstance(fact.key, SecretKey):
        return f"{about}; with {_SHARED[fact.key.root.source]}"
    return f"{about}; by {fact.key.certificate.subject} ({fact.key.partner})"


def _path(proof: Proof, snapshot: RingSnapshot, key: CertificateKey, now: datetime) -> Iterator[Line]:
    chain, name = chain_of(snapshot, key, now, proof.limits)
    path = " < ".join(one.subject for one in chain)
    if len(chain) == 1:
        yield "trust", f"{path}, pinned in group {name!r}, valid then"
        return
    yield "trust", f"{path}, by group {name!r}, valid then"
    for group in snapshot.trust_groups:
        if isinstance(group, AuthorityGroup) and group.name == name:
            lists = () if group.revocation is None else group.revocation.lists
            for one in lists:
                until = one.next_update_utc
                life = f"{_moment(one.last_update_utc)} to {_moment(until) if until else 'no end'}"
                yield (
                    "revocation",
                    f"none of them revoked by the list of {one.issuer.rfc4514_string()}, {life}",
                )
            if not lists:
                yield "revocation", "not asked for by that group"


def _worth(found: Found, proof: Proof) -> str:
    """Whom the message convinces, honestly."""
    if proof.failure is not None:
        return "nothing, as it stands"
    also = ""
    if found.facts["proof"] in _PASSWORDS:
        also = "; that the password was right is our word only, and whoever knew it could have sent the same"
    if proof.certified:
        return (
            f"anybody who has the certificate can verify the signature: see wsprovider archive export{also}"
        )
    if proof.evidence is not None and proof.evidence.signatures:
        return f"a proof for ourselves: both sides held the key, so that we could have made the message{also}"
    return (
        f"a proof for ourselves: nothing in the message is signed, what protected it was the connection{also}"
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
