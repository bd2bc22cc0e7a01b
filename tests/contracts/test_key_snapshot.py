"""The contract of KeySnapshot, on every way there is to make one."""

from collections.abc import Callable

import pytest

from tests.simulator import pki
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.adapters.keys.source import SnapshotSource
from wsprovider.keyring.material import (
    EmbeddedCertificate,
    IssuerSerialReference,
    KeyIdentifierReference,
    ThumbprintReference,
)
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.snapshot import KeySnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PinnedGroup, Trust
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority("CN=Contract CA")
OWN = CA.issue("CN=service,O=Bank")
PARTNER = pki.self_signed("CN=partner,O=Partner")
CUSTOMER = CA.issue("CN=client-1,O=Bank")


def in_memory(tmp_path) -> KeySnapshot:
    ring = Ring("service", (RingKey(OWN.pair("one"), frozenset(Purpose)),))
    pinned = PinnedGroup("partners", (Partner("partner", (PARTNER.certificate,), frozenset({"p"})),))
    rules = (SubjectRule.of_attributes({"CN": "client-*"}, None, frozenset({"c"})),)
    bank = AuthorityGroup("bank", Authorities((CA.certificate,)), rules)
    return RingSnapshot(ring, Trust((pinned, bank), Limits()), "1")


def folder(tmp_path):
    for name in ("service", "trust/partners", "trust/bank"):
        (tmp_path / "keys" / name).mkdir(parents=True)
    files = {
        "service/ring.toml": b'[[key]]\nname="one"\npurposes=["sign","decrypt"]\nkey="k.pem"\ncertificate="c.pem"\n',
        "service/k.pem": OWN.key_pem,
        "service/c.pem": OWN.cert_pem,
        "trust/partners/partner.pem": PARTNER.cert_pem,
        "trust/partners/trust.toml": b'kind = "pinned"\nroles = ["p"]',
        "trust/bank/root.pem": CA.cert_pem,
        "trust/bank/trust.toml": b'kind="ca"\nanchors=["root.pem"]\nsubjects=[{CN="client-*", roles=["c"]}]',
    }
    for name, content in files.items():
        path = tmp_path / "keys" / name
        path.write_bytes(content)
        path.chmod(0o600)
    return tmp_path / "keys"


def from_folder(tmp_path) -> KeySnapshot:
    keys = folder(tmp_path)
    return load_snapshot(
        keys, "service", ["partners", "bank"], limits=Limits(), now=pki.NOW, environ={}
    ).snapshot


def from_source(tmp_path) -> KeySnapshot:
    return SnapshotSource(
        folder(tmp_path),
        "service",
        ["partners", "bank"],
        limits=Limits(),
        environ={},
        clock=lambda: pki.NOW,
        monotonic=lambda: 0.0,
    )()


@pytest.fixture(params=[in_memory, from_folder, from_source])
def snapshot(request, tmp_path) -> KeySnapshot:
    make: Callable[..., KeySnapshot] = request.param
    return make(tmp_path)


def references(holder):
    certificate = holder.certificate
    return [
        ThumbprintReference(certificate.thumbprint_sha1),
        KeyIdentifierReference(certificate.subject_key_identifier),
        IssuerSerialReference(certificate.parsed.issuer.rfc4514_string(), certificate.serial),
        EmbeddedCertificate(certificate.der),
    ]


def test_version(snapshot):
    assert snapshot.version


def test_the_key_that_signs(snapshot):
    pair = snapshot.signing_key(pki.NOW)
    assert (pair.name, pair.certificate) == ("one", OWN.certificate)
    assert pair.private_key.public_key() == OWN.certificate.public_key


@pytest.mark.parametrize("reference", references(OWN), ids=lambda one: type(one).__name__)
def test_our_key_is_found_by_every_name(snapshot, reference):
    assert [one.certificate for one in snapshot.decryption_keys(reference, pki.NOW)] == [OWN.certificate]
    assert snapshot.named(reference, pki.NOW) == ()


@pytest.mark.parametrize("reference", references(PARTNER), ids=lambda one: type(one).__name__)
def test_a_pinned_partner_is_found_by_every_name(snapshot, reference):
    assert snapshot.named(reference, pki.NOW) == (PARTNER.certificate,)
    assert snapshot.decryption_keys(reference, pki.NOW) == ()


@pytest.mark.parametrize("reference", references(CUSTOMER), ids=lambda one: type(one).__name__)
def test_a_customer_of_a_ca_is_not_configured(snapshot, reference):
    assert snapshot.named(reference, pki.NOW) == ()


@pytest.mark.parametrize(
    "reference",
    [
        ThumbprintReference(b""),
        ThumbprintReference(OWN.certificate.subject_key_identifier),
        KeyIdentifierReference(b""),
        IssuerSerialReference("", 0),
        IssuerSerialReference("no name", OWN.certificate.serial),
        IssuerSerialReference("CN=Contract CA", OWN.certificate.serial + 1),
        IssuerSerialReference("CN=Contract CA", -OWN.certificate.serial),
        IssuerSerialReference("CN=Other CA", OWN.certificate.serial),
        EmbeddedCertificate(b""),
    ],
)
def test_hostile_references_find_nothing(snapshot, reference):
    assert snapshot.named(reference, pki.NOW) == snapshot.decryption_keys(reference, pki.NOW) == ()


def test_own(snapshot):
    assert snapshot.own(OWN.certificate)
    assert snapshot.own(CA.issue("CN=renewed", key=OWN.key).certificate)
    assert not snapshot.own(PARTNER.certificate)
    assert not snapshot.own(CA.issue("CN=service,O=Bank", key=pki.key("ec-p256")).certificate)


def test_trust_of_a_pinned_partner(snapshot):
    for _ in range(2):  # the second time from memory
        trusted = snapshot.trust(PARTNER.certificate, (), pki.NOW)
        assert (trusted.partner, trusted.pinned, trusted.roles) == ("partner", True, {"p"})


def test_trust_of_a_customer(snapshot):
    for _ in range(2):
        trusted = snapshot.trust(CUSTOMER.certificate, (), pki.NOW)
        assert (trusted.partner, trusted.pinned, trusted.roles) == ("CN=client-1,O=Bank", False, {"c"})


@pytest.mark.parametrize(
    ("holder", "now", "reason"),
    [
        (OWN, pki.NOW, Reason.OWN_CERTIFICATE),
        (pki.self_signed("CN=partner,O=Partner"), pki.NOW, Reason.CERTIFICATE_NOT_TRUSTED),
        (CA.issue("CN=other,O=Bank"), pki.NOW, Reason.CERTIFICATE_SUBJECT),
        (PARTNER, pki.days(366), Reason.CERTIFICATE_EXPIRED),
        (CUSTOMER, pki.days(-31), Reason.CERTIFICATE_NOT_YET_VALID),
    ],
)
def test_refusals(snapshot, holder, now, reason):
    snapshot.trust(PARTNER.certificate, (), pki.NOW)
    snapshot.trust(CUSTOMER.certificate, (), pki.NOW)
    with pytest.raises(WSSecurityError) as caught:
        snapshot.trust(holder.certificate, (), now)
    assert caught.value.reason is reason


def test_the_certificate_to_encrypt_to(snapshot):
    assert snapshot.peer_encryption_certificate("partner", pki.NOW) == PARTNER.certificate
    assert snapshot.peer_encryption_certificate(None, pki.NOW) == PARTNER.certificate
    assert snapshot.peer_encryption_certificate("stranger", pki.NOW) is None
    assert snapshot.peer_encryption_certificate("partner", pki.days(366)) is None
