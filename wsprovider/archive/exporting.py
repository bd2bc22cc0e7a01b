"""A message taken out of the archive, for whoever has neither archive nor wsprovider.

What xmlsec1 and openssl need to verify it by themselves, the policy, the report, and a manifest of SHA-256 digests in the
form of ``sha256sum``. What was encrypted is exported decrypted, too: the folder is its owner's alone.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from wsprovider.archive.messages import WIRE
from wsprovider.archive.proving import Proof, chain_of
from wsprovider.archive.reading import Found
from wsprovider.archive.report import Line
from wsprovider.inbound.evidence import CertificateKey
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.trust import AuthorityGroup
from wsprovider.words.errors import BackendError

MANIFEST = "MANIFEST.sha256"


def export(folder: Path, messages: Iterable[tuple[str, Found, Proof]], report: Iterable[Line]) -> list[str]:
    """Write messages into a new folder; the names of its files.

    Args:
        messages: what to call each (``request``, ``reply``), the message, and what it shows now.
        report: goes into ``report.txt``, with the commands that verify the rest.

    Raises:
        BackendError: the folder is there already.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackendError(f"{folder} is there already: name a new folder") from None
    files: dict[str, bytes] = {}
    commands: list[str] = []
    for name, found, proof in messages:
        files.update(_files(name, found, proof))
        commands += _commands(name, found, proof, files)
    files["report.txt"] = _report(report, commands).encode()
    for name, octets in files.items():
        _write(folder / name, octets)
    lines = [f"{hashlib.sha256(octets).hexdigest()}  {name}\n" for name, octets in sorted(files.items())]
    _write(folder / MANIFEST, "".join(lines).encode())
    return sorted((*files, MANIFEST))


def _files(name: str, found: Found, proof: Proof) -> Iterator[tuple[str, bytes]]:
    yield f"{name}.xml", found.parts[WIRE]
    if proof.tree:
        yield f"{name}-decrypted.xml", proof.tree
    facts = {key: value for key, value in found.facts.items() if key != "secrets"}
    yield f"{name}-facts.json", json.dumps(facts, indent=1, sort_keys=True).encode()
    yield f"{name}.record", found.record.frame
    asked, answered = (found.facts.get(key) for key in ("policy", "reply_policy"))
    if asked:
        yield "policy.xml", found.material(asked)
    if answered and answered != asked:
        yield "policy-of-replies.xml", found.material(answered)
    tls = found.facts.get("tls", {}).get("certificate")
    if tls:
        yield f"{name}-tls-client.pem", _pem(Certificate.from_der(found.material(tls)))
    snapshot = proof.snapshot
    if snapshot is None:
        return
    for number, key in _signers(proof):
        chain, group_name = chain_of(snapshot, key, found.at, proof.limits)
        yield f"{name}-signer-{number}.pem", _pem(chain[0])
        yield f"{name}-signer-{number}-path.pem", b"".join(_pem(one) for one in (*chain[1:-1], *key.path))
        yield f"{name}-signer-{number}-trusted.pem", _pem(chain[-1])
        for group in snapshot.trust_groups:
            if isinstance(group, AuthorityGroup) and group.name == group_name and group.revocation:
                lists = b"".join(one.public_bytes(Encoding.PEM) for one in group.revocation.lists)
                yield f"{name}-signer-{number}-lists.pem", lists


def _signers(proof: Proof) -> Iterator[tuple[int, CertificateKey]]:
    evidence = proof.evidence
    signatures = () if evidence is None else evidence.signatures
    for number, fact in enumerate(signatures, start=1):
        if isinstance(fact.key, CertificateKey):
            yield number, fact.key


def _commands(name: str, found: Found, proof: Proof, files: dict[str, bytes]) -> Iterator[str]:
    """How each signature of a certificate is verified without us."""
    evidence, case = proof.evidence, proof.case
    if evidence is None or case is None:
        return
    document = f"{name}.xml" if case.requirements.encrypt_before_signing else f"{name}-decrypted.xml"
    for number, _ in _signers(proof):
        signer, fact = f"{name}-signer-{number}", evidence.signatures[number - 1]
        ids = sorted({element.tag.lstrip("{").replace("}", ":") for element in fact.covered})
        attributes = " ".join(f"--id-attr:Id {one}" for one in ids)
        node = evidence.child(fact.signature.index).get("Id")
        chosen = f"--node-id {node} --id-attr:Id Signature " if node else ""
        yield (
            f"xmlsec1 --verify --lax-key-search --pubkey-cert-pem {signer}.pem {chosen}{attributes} {document}"
        )
        lists = f" -crl_check_all -CRLfile {signer}-lists.pem" if f"{signer}-lists.pem" in files else ""
        path = f" -untrusted {signer}-path.pem" if files.get(f"{signer}-path.pem") else ""
        yield (
            f"openssl verify -attime {int(found.at.timestamp())} -partial_chain -trusted {signer}-trusted.pem"
            f"{path}{lists} {signer}.pem"
        )


def _report(report: Iterable[Line], commands: list[str]) -> str:
    lines = [f"{name + ':':<14} {text}" for name, text in report]
    if commands:
        lines += [
            "",
            "Verified without wsprovider, in this folder (a signature by xmlsec1, its certificate by openssl):",
            "",
        ]
        lines += commands
    return "\n".join((*lines, ""))


def _pem(certificate: Certificate) -> bytes:
    return certificate.parsed.public_bytes(Encoding.PEM)


def _write(path: Path, octets: bytes) -> None:
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(octets)
