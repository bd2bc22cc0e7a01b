"""What a service trusted at a moment, written down so that the very code that judged can judge again.

A document of JSON names groups, partners, rules and limits; certificates and revocation lists are named in it by their
digests and kept beside it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from wsprovider.archive.writing import digest_of
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.ring import Ring, RingSnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import (
    AuthorityGroup,
    Partner,
    PeerPurpose,
    Pin,
    PinnedGroup,
    Trust,
    TrustGroup,
)
from wsprovider.words.limits import Limits

Materials = dict[str, bytes]
Find = Callable[[str], bytes]
"""Gives material by its digest; raises LookupError."""


def write(groups: tuple[TrustGroup, ...], limits: Limits) -> tuple[str, Materials]:
    """The digest of the document, and everything that it is made of, the document included."""
    materials: Materials = {}
    written = [
        _pinned(one, materials) if isinstance(one, PinnedGroup) else _issued(one, materials) for one in groups
    ]
    document = json.dumps({"v": 1, "groups": written, "limits": asdict(limits)}, sort_keys=True).encode()
    return hold(document, materials), materials


def read(document: bytes, find: Find) -> RingSnapshot:
    """A snapshot that trusts whom the service trusted then, and has no key of its own.

    Raises:
        LookupError: material is missing.
        ValueError: the document is none.
    """
    values = json.loads(document)
    groups = [
        _read_pinned(one, find) if one["kind"] == "pinned" else _read_issued(one, find)
        for one in values["groups"]
    ]
    return RingSnapshot(Ring("", ()), Trust(groups, limits_of(values["limits"])), "archived")


def limits_in(document: bytes) -> Limits:
    """The limits that a document names."""
    return limits_of(json.loads(document)["limits"])


def limits_of(values: Mapping[str, int]) -> Limits:
    """Limits as they were written; one that came later has its default."""
    known = {name: values[name] for name in asdict(Limits()) if name in values}
    return Limits(**known)


def hold(octets: bytes, materials: Materials) -> str:
    """Put octets among materials; their digest."""
    digest = digest_of(octets)
    materials[digest] = octets
    return digest


def _pinned(group: PinnedGroup, materials: Materials) -> dict[str, Any]:
    return {
        "kind": "pinned",
        "name": group.name,
        "partners": [
            {
                "name": partner.name,
                "roles": sorted(partner.roles),
                "certificates": [
                    [hold(one.der, materials), _pin(partner.pin(one))] for one in partner.certificates
                ],
            }
            for partner in group.partners
        ],
    }


def _pin(pin: Pin) -> dict[str, Any]:
    return {
        "purposes": sorted(one.value for one in pin.purposes),
        "encrypts_from": pin.encrypts_from and pin.encrypts_from.isoformat(),
        "gone_at": pin.gone_at and pin.gone_at.isoformat(),
    }


def _issued(group: AuthorityGroup, materials: Materials) -> dict[str, Any]:
    authorities, revocation = group.authorities, group.revocation
    return {
        "kind": "issued",
        "name": group.name,
        "anchors": [hold(one.der, materials) for one in authorities.anchors],
        "intermediates": [hold(one.der, materials) for one in authorities.intermediates],
        "path_length": authorities.path_length,
        "subjects": [
            {
                "names": one.names,
                "patterns": one.patterns,
                "partner": one.partner,
                "roles": sorted(one.roles),
            }
            for one in group.subjects
        ],
        "usage": sorted(one.dotted_string for one in group.extended_usage),
        "lists": None if revocation is None else [hold(_der(one), materials) for one in revocation.lists],
    }


def _der(one: x509.CertificateRevocationList) -> bytes:
    return one.public_bytes(Encoding.DER)


def _read_pinned(values: Mapping[str, Any], find: Find) -> PinnedGroup:
    partners = []
    for one in values["partners"]:
        pins = {_certificate(find(digest)): _read_pin(pin) for digest, pin in one["certificates"]}
        partners.append(Partner(one["name"], tuple(pins), frozenset(one["roles"]), pins))
    return PinnedGroup(values["name"], tuple(partners))


def _read_pin(values: Mapping[str, Any]) -> Pin:
    moments = {
        name: values[name] and datetime.fromisoformat(values[name]) for name in ("encrypts_from", "gone_at")
    }
    return Pin(frozenset(PeerPurpose(one) for one in values["purposes"]), **moments)


def _read_issued(values: Mapping[str, Any], find: Find) -> AuthorityGroup:
    lists = values["lists"]
    return AuthorityGroup(
        values["name"],
        Authorities(
            tuple(_certificate(find(one)) for one in values["anchors"]),
            tuple(_certificate(find(one)) for one in values["intermediates"]),
            values["path_length"],
        ),
        tuple(_rule(one) for one in values["subjects"]),
        frozenset(x509.ObjectIdentifier(one) for one in values["usage"]),
        None if lists is None else RevocationLists(tuple(x509.load_der_x509_crl(find(one)) for one in lists)),
    )


def _rule(values: Mapping[str, Any]) -> SubjectRule:
    names = tuple(
        tuple(tuple((kind, value) for kind, value in part) for part in name) for name in values["names"]
    )
    patterns = tuple((kind, value) for kind, value in values["patterns"])
    return SubjectRule(names, patterns, values["partner"], frozenset(values["roles"]))


#: the same partners' come again and again
_certificate = lru_cache(maxsize=256)(Certificate.from_der)
