"""Loading trust groups: pinned partners and CAs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.simulator import pki
from wsprovider.adapters.keys.folder import load_snapshot
from wsprovider.keyring.material import ThumbprintReference
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority("CN=Trust folder CA")
LEAF = CA.issue("CN=client-1,O=Bank")
A, B = pki.self_signed("CN=a"), pki.self_signed("CN=b")
SUBJECTS = 'subjects = [{CN = "client-*", O = "Bank"}]\n'
TOML = 'kind = "ca"\nanchors = ["root.pem"]\n' + SUBJECTS


@pytest.fixture
def group(tmp_path) -> Path:
    folder = tmp_path / "keys" / "trust" / "g"
    folder.mkdir(parents=True)
    return folder


def put(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", ".").replace("_", "-")
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def load(group, trust=("g",)):
    folder = group.parent.parent
    return load_snapshot(folder, None, trust, limits=Limits(), now=pki.NOW, environ={})


def trusted(group, holder):
    return load(group).snapshot.trust(holder.certificate, (), pki.NOW)


def problems(group, trust=("g",)):
    with pytest.raises(ConfigurationError) as caught:
        load(group, trust)
    return [str(one) for one in caught.value.problems]


def test_pinned_without_a_file_of_settings(group):
    put(group, a__pem=A.cert_pem, b__2026__crt=B.parsed.public_bytes(Encoding.DER), notes__txt="x")
    assert trusted(group, A).partner == "a"
    assert trusted(group, B).partner == "b"
    assert load(group).warnings == ()


def test_two_certificates_of_one_partner_overlap(group):
    next_one = pki.self_signed("CN=a", key=pki.key("rsa-2048", "next"))
    put(group, a__2026__pem=A.cert_pem, a__2027__pem=next_one.cert_pem)
    assert trusted(group, A).partner == trusted(group, next_one).partner == "a"


def test_partners_and_roles(group):
    put(group, a__pem=A.cert_pem, odd__crt=B.cert_pem)
    put(group, trust__toml='kind="pinned"\nroles=["all"]\n[partners.bee]\nfiles=["odd.crt"]\nroles=["more"]')
    assert (trusted(group, A).partner, trusted(group, A).roles) == ("a", {"all"})
    assert (trusted(group, B).partner, trusted(group, B).roles) == ("bee", {"all", "more"})


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('kind = "pinned"\n[partners.x]', "partners[x]: has no certificate"),
        ('kind = "pinned"\n[partners.a]\nfiles = ["none.pem"]', "none.pem does not exist"),
        ('kind = "pinned"\npartners = 1', "table of tables"),
        ('kind = "pinned"\n[partners.a]\nrole = ["x"]', "role: is not known"),
        ('kind = "pinned"\nanchors = ["a.pem"]', "anchors: is not known"),
        ('kind = "open"', 'must be "pinned" or "ca"'),
        ("roles = []", 'must be "pinned" or "ca"'),
        ("kind", "not valid TOML"),
    ],
)
def test_mistakes_in_pinned_groups(group, toml, words):
    put(group, a__pem=A.cert_pem, trust__toml=toml)
    found = problems(group)
    assert any(words in one for one in found), found
    assert all(one.startswith("keys/trust/g/trust.toml") for one in found)


def test_missing_group(group):
    assert problems(group, ["h"]) == ["keys/trust/h: the trust group has no folder"]
    assert "is no name" in problems(group, ["../g"])[0]


def test_an_empty_group_trusts_nobody(group):
    assert load(group).snapshot.trusts_nobody


def test_a_malformed_file_is_skipped_with_a_warning(group):
    put(group, a__pem=A.cert_pem, bad__pem=A.cert_pem[:200], junk__crt=b"junk", empty__cer=b"")
    warnings = [str(one) for one in load(group).warnings]
    assert [one.split(":")[0] for one in warnings] == [
        f"keys/trust/g/{name}" for name in ("bad.pem", "empty.cer", "junk.crt")
    ]
    assert all("SKIPPED" in one for one in warnings)
    assert trusted(group, A).partner == "a"


@pytest.mark.parametrize(
    "bend",
    [{"key": pki.key("rsa-1024")}, {"key": pki.key("ec-secp256k1")}, {"public_key": pki.huge_rsa(8192)}],
)
def test_a_pinned_key_outside_the_limits_is_skipped(group, bend):
    put(group, a__pem=CA.issue(**bend).cert_pem, b__pem=B.cert_pem)
    assert ["SKIPPED" in str(one) for one in load(group).warnings] == [True]
    assert trusted(group, B).partner == "b"


def test_a_date_that_is_none_is_skipped_with_a_warning(group):
    later = pki.self_signed("CN=later", end=datetime(2060, 1, 1, tzinfo=UTC))
    bent = later.certificate.der.replace(b"20600101000000Z", b"20601301000000Z")
    put(group, later__crt=bent, a__pem=A.cert_pem)
    assert ["later.crt: SKIPPED" in str(one) for one in load(group).warnings] == [True]
    assert trusted(group, A).partner == "a"


def test_age_is_told(group):
    put(group, a__pem=pki.self_signed("CN=a", end=pki.days(-1)).cert_pem, b__pem=B.cert_pem)
    assert [str(one) for one in load(group).warnings] == ["keys/trust/g: the certificate of CN=a has expired"]


def test_stale_lists_and_expired_anchors_are_told(group):
    old = pki.authority("CN=Old", end=pki.days(-1))
    stale = CA.crl(start=pki.days(-9), end=pki.days(-1))
    put(group, root__pem=CA.cert_pem + old.cert_pem, r__crl=stale, trust__toml=TOML + 'crl = "r.crl"')
    assert [str(one).split(": ", 1)[1] for one in load(group).warnings] == [
        "the revocation list of CN=Trust folder CA is stale: its customers are refused",
        "the certificate of CN=Old has expired",
    ]


def test_a_chain_in_a_pinned_file_pins_the_first_only(group):
    put(group, client__pem=LEAF.cert_pem + CA.cert_pem)
    loaded = load(group)
    assert "only the first" in str(loaded.warnings[0])
    assert loaded.snapshot.named(ThumbprintReference(CA.certificate.thumbprint_sha1), pki.NOW) == ()


def test_a_pinned_certificate_that_cannot_sign_is_told(group):
    put(group, a__pem=CA.issue(extensions=[pki.key_usage("key_encipherment")]).cert_pem)
    assert "no digitalSignature" in str(load(group).warnings[0])


def test_one_key_of_two_partners(group):
    renewed = pki.self_signed("CN=a")
    put(group, a__pem=A.cert_pem, b__pem=renewed.cert_pem)
    assert problems(group) == ["keys/trust/g: partners 'a' and 'b' hold the same key"]


def test_ca(group):
    put(group, root__pem=CA.cert_pem, trust__toml=TOML)
    assert trusted(group, LEAF).partner == "CN=client-1,O=Bank"
    with pytest.raises(WSSecurityError):
        trusted(group, CA.issue("CN=client-1,O=Other"))


def test_ca_subjects_partner_and_roles(group):
    subjects = 'subjects=["CN=client-2,O=Bank", {name="O=Bank, CN=client-1", partner="one", roles=["x"]}]\nroles=["y"]'
    put(group, root__pem=CA.cert_pem, trust__toml=TOML.replace(SUBJECTS, subjects))
    assert (trusted(group, LEAF).partner, trusted(group, LEAF).roles) == ("one", {"x", "y"})
    assert trusted(group, CA.issue("CN=client-2,O=Bank")).roles == {"y"}


def test_ca_with_configured_intermediate_and_path_length(group):
    sub = CA.issue_authority("CN=Sub")
    put(group, root__pem=CA.cert_pem, sub__pem=sub.cert_pem, trust__toml=TOML + 'intermediates = ["sub.pem"]')
    trusted(group, sub.issue())
    put(group, trust__toml=TOML + 'intermediates = ["sub.pem"]\npath_length = 0')
    with pytest.raises(WSSecurityError):
        trusted(group, sub.issue())
    trusted(group, LEAF)


def test_ca_with_revocation(group):
    put(group, root__pem=CA.cert_pem, root__crl=CA.crl(LEAF), trust__toml=TOML + 'crl = "root.crl"')
    with pytest.raises(WSSecurityError) as caught:
        trusted(group, LEAF)
    assert caught.value.reason is Reason.CERTIFICATE_REVOKED
    trusted(group, CA.issue())


def test_several_lists_in_one_pem_file(group):
    both = b"".join(
        x509.load_der_x509_crl(one).public_bytes(Encoding.PEM)
        for one in (pki.authority("CN=Else").crl(), CA.crl(LEAF))
    )
    put(group, root__pem=CA.cert_pem, all__pem=both, trust__toml=TOML + 'crl = ["all.pem"]')
    trusted(group, CA.issue())
    with pytest.raises(WSSecurityError):
        trusted(group, LEAF)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (TOML.replace(SUBJECTS, ""), "subjects: is mandatory"),
        (TOML.replace(SUBJECTS, "subjects = []"), "subjects: is mandatory"),
        (TOML.replace(SUBJECTS, 'subjects = [{CN = "*"}]'), "matches everybody"),
        (TOML.replace(SUBJECTS, 'subjects = [{roles = ["a"]}]'), "either name or attributes"),
        (TOML.replace(SUBJECTS, 'subjects = [{name = "CN=a", CN = "a"}]'), "either name or attributes"),
        (TOML.replace(SUBJECTS, 'subjects = [{XX = "a"}]'), "unknown attribute"),
        (TOML.replace(SUBJECTS, "subjects = [{CN = 1}]"), "must be texts"),
        (TOML.replace(SUBJECTS, "subjects = [1]"), "a name or a table"),
        (TOML.replace(SUBJECTS, 'subjects = ["bank"]'), "no '='"),
        (TOML.replace(SUBJECTS, 'subjects = "CN=a"'), "must be a list"),
        (TOML.replace('["root.pem"]', "[]"), "anchors: needs at least one"),
        (TOML.replace("root.pem", "none.pem"), "none.pem: keys/trust/g/none.pem does not exist"),
        (TOML.replace("root.pem", "leaf.pem"), "leaf.pem: not a CA"),
        (TOML.replace("root.pem", "bad.pem"), "bad.pem: no certificate"),
        (TOML + 'extended_key_usage = ["client"]', "'client' is none of clientAuth"),
        (TOML + "path_length = -1", "whole number"),
        (TOML + 'revocation = "required"', "at least one revocation list"),
        (TOML + 'revocation = "maybe"', 'must be "required" or "off"'),
        (TOML + 'revocation = "off"\ncrl = "x.crl"', "contradicts crl"),
        (TOML + 'crl = "none.crl"', "none.crl does not exist"),
        (TOML + 'crl = "bad.pem"', "no revocation list"),
        (TOML + "[partners.a]", "partners: is not known"),
    ],
)
def test_mistakes_in_ca_groups(group, toml, words):
    put(group, root__pem=CA.cert_pem, leaf__pem=LEAF.cert_pem, bad__pem=b"junk", trust__toml=toml)
    found = problems(group)
    assert any(words in one for one in found), found


def test_extended_key_usage(group):
    put(group, root__pem=CA.cert_pem, trust__toml=TOML + 'extended_key_usage = ["clientAuth"]')
    with pytest.raises(WSSecurityError) as caught:
        trusted(group, LEAF)
    assert caught.value.reason is Reason.CERTIFICATE_USAGE
