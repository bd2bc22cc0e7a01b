"""Group G of the catalogue of attacks: every refusal beside the message that is accepted."""

import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from tests.simulator import pki
from wsprovider.keyring.material import Certificate, KeyIdentifierReference, ThumbprintReference
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PeerPurpose, Pin, PinnedGroup, Trust
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority()
BANK = (SubjectRule.of_attributes({"CN": "client-*", "O": "Bank"}),)


def group(*anchors, subjects=BANK, path_length=4, intermediates=(), **more):
    authorities = Authorities(
        tuple(one.certificate for one in anchors or (CA,)),
        tuple(one.certificate for one in intermediates),
        path_length,
    )
    return AuthorityGroup("bank", authorities, subjects, **more)


def pinned(*holders, name="client-1"):
    return PinnedGroup(
        "clients", (Partner(name, tuple(one.certificate for one in holders), frozenset({"r"})),)
    )


def judge(holder, *groups, offered=None, now=pki.NOW, limits=None, ring=()):
    keys = tuple(RingKey(one.pair(), frozenset(Purpose)) for one in ring)
    snapshot = RingSnapshot(Ring("own", keys), Trust(groups or (group(),), limits or Limits()), "1")
    path = tuple(one.certificate for one in holder.issuers[:-1]) if offered is None else offered
    return snapshot.trust(holder.certificate, path, now)


def refused(reason, holder, *groups, **more):
    with pytest.raises(WSSecurityError) as caught:
        judge(holder, *groups, **more)
    assert caught.value.reason is reason, caught.value


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_a_customer_of_the_ca_is_accepted(digest):
    leaf = CA.issue(digest=digest)
    trusted = judge(leaf)
    assert trusted.certificate == leaf.certificate
    assert (trusted.partner, trusted.pinned) == ("CN=client-1,O=Bank", False)


def test_a_pinned_partner_is_accepted_with_its_name_and_roles():
    partner = pki.self_signed("CN=client-1")
    trusted = judge(partner, pinned(partner))
    assert (trusted.partner, trusted.pinned, trusted.roles) == ("client-1", True, frozenset({"r"}))


VERIFY, ENCRYPT = frozenset({PeerPurpose.VERIFY}), frozenset({PeerPurpose.ENCRYPT})


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (Pin(), None),
        (Pin(gone_at=pki.days(1)), None),
        (Pin(gone_at=pki.days(-1)), Reason.CERTIFICATE_NOT_TRUSTED),
        (Pin(VERIFY), None),
        (Pin(ENCRYPT), Reason.CERTIFICATE_USAGE),
    ],
)
def test_of_two_groups_that_pin_it_the_stricter_counts_in_any_order(terms, reason, turned):
    """Nor does a CA's group vouch for what its pin refuses."""
    partner = CA.issue()
    strict = PinnedGroup(
        "b", (Partner("client-1", (partner.certificate,), pins={partner.certificate: terms}),)
    )
    groups = (group(), pinned(partner), strict)
    groups = groups[::-1] if turned else groups
    if reason is None:
        assert judge(partner, *groups).pinned
    else:
        refused(reason, partner, *groups)


def test_the_stricter_terms_of_encryption():
    partner = pki.self_signed("CN=client-1")
    both = (Pin(encrypts_from=pki.days(2)), Pin(VERIFY | ENCRYPT, pki.days(-2)))
    groups = [
        PinnedGroup(str(n), (Partner("client-1", (partner.certificate,), pins={partner.certificate: one}),))
        for n, one in enumerate(both)
    ]
    trust = Trust(groups, Limits())
    assert trust.encryption_certificate("client-1", pki.days(1)) is None
    assert trust.encryption_certificate("client-1", pki.days(2)) == partner.certificate


@pytest.mark.parametrize("kind", ["rsa-3072", "rsa-4096", "ec-p256", "ec-p384", "ec-p521", "ed25519"])
def test_every_kind_of_key_on_every_place_of_the_path(kind):
    one = pki.key(kind)
    judge(CA.issue(key=one))
    root = pki.authority("CN=Root of another kind", key=one)
    sub = root.issue_authority("CN=Sub of another kind", key=pki.key(kind, "sub"))
    judge(sub.issue(), group(root))


# --- dates ----------------------------------------------------------------------------------------

DATES = [
    (Reason.CERTIFICATE_EXPIRED, {"end": pki.days(-0.5)}),
    (Reason.CERTIFICATE_NOT_YET_VALID, {"start": pki.days(0.5)}),
    (None, {"end": pki.NOW}),
    (None, {"start": pki.NOW}),
]


@pytest.mark.parametrize(("reason", "bend"), DATES)
def test_dates_of_a_customer(reason, bend):
    refused(reason, CA.issue(**bend)) if reason else judge(CA.issue(**bend))


@pytest.mark.parametrize(("reason", "bend"), DATES)
def test_dates_of_a_pinned_partner(reason, bend):
    partner = pki.self_signed("CN=client-1", **bend)
    refused(reason, partner, pinned(partner)) if reason else judge(partner, pinned(partner))


@pytest.mark.parametrize(("reason", "bend"), DATES)
def test_dates_of_an_intermediate(reason, bend):
    leaf = CA.issue_authority(**bend).issue()
    refused(reason, leaf) if reason else judge(leaf)


@pytest.mark.parametrize(("reason", "bend"), DATES)
def test_dates_of_an_anchor(reason, bend):
    root = pki.authority("CN=Dated root", **bend)
    refused(reason, root.issue(), group(root)) if reason else judge(root.issue(), group(root))


# --- the path -------------------------------------------------------------------------------------


def test_issuer_that_is_no_ca():
    refused(Reason.CERTIFICATE_PATH, CA.issue("CN=client-2,O=Bank").issue())
    judge(CA.issue_authority("CN=client-2,O=Bank").issue())


def test_issuer_without_basic_constraints():
    sub = CA.issue_authority(without=[x509.BasicConstraints])
    refused(Reason.CERTIFICATE_PATH, sub.issue())
    judge(CA.issue_authority().issue())


def test_anchor_without_basic_constraints():
    root = pki.authority("CN=V1 like", without=[x509.BasicConstraints])
    refused(Reason.CERTIFICATE_PATH, root.issue(), group(root))


def test_issuer_without_cert_sign():
    bent = CA.issue_authority(extensions=[pki.key_usage("digital_signature", "crl_sign")])
    refused(Reason.CERTIFICATE_PATH, bent.issue())
    judge(CA.issue_authority(without=[x509.KeyUsage]).issue())


@pytest.mark.parametrize(
    ("length", "intermediates", "fits"),
    [(0, 0, True), (0, 1, False), (1, 1, True), (1, 2, False), (None, 2, True)],
)
def test_path_length_of_the_certificates(length, intermediates, fits):
    root = issuer = pki.authority("CN=Root", path_length=length)
    for place in range(intermediates):
        issuer = issuer.issue_authority(f"CN=Sub {place}")
    leaf = issuer.issue()
    judge(leaf, group(root)) if fits else refused(Reason.CERTIFICATE_PATH, leaf, group(root))


def test_self_issued_certificates_do_not_count_for_the_path_length():
    root = pki.authority("CN=Root", path_length=0)
    rolled = root.issue_authority("CN=Root", key=pki.key("rsa-2048", "rolled"))
    judge(rolled.issue(), group(root))


@pytest.mark.parametrize(("allowed", "fits"), [(0, False), (1, False), (2, True)])
def test_path_length_of_the_group(allowed, fits):
    leaf = CA.issue_authority("CN=S").issue_authority("CN=T").issue()
    judge(leaf, group(path_length=allowed)) if fits else refused(
        Reason.CERTIFICATE_NOT_TRUSTED, leaf, group(path_length=allowed)
    )


def test_missing_intermediate():
    sub = CA.issue_authority()
    leaf = sub.issue()
    refused(Reason.CERTIFICATE_NOT_TRUSTED, leaf, offered=())
    judge(leaf, group(intermediates=[sub]), offered=())
    judge(leaf)


def test_an_intermediate_is_not_trusted_by_itself():
    other = pki.authority("CN=Unknown root")
    sub = other.issue_authority("CN=Known sub")
    refused(Reason.CERTIFICATE_NOT_TRUSTED, sub.issue(), group(intermediates=[sub]))


def test_an_intermediate_may_be_the_anchor():
    sub = pki.authority("CN=Elsewhere").issue_authority("CN=Our branch")
    judge(sub.issue(), group(sub), offered=())


def test_wrong_anchor():
    refused(Reason.CERTIFICATE_NOT_TRUSTED, pki.authority("CN=Somebody").issue())


def test_anchor_of_the_same_name_but_another_key():
    impostor = pki.authority("CN=Test CA", key=pki.key("rsa-2048", "impostor"))
    refused(Reason.CERTIFICATE_NOT_TRUSTED, impostor.issue())
    refused(Reason.CERTIFICATE_NOT_TRUSTED, impostor.issue(), offered=(impostor.certificate,))


def test_self_signed_stranger():
    refused(Reason.CERTIFICATE_NOT_TRUSTED, pki.self_signed("CN=client-1,O=Bank"))
    refused(Reason.CERTIFICATE_NOT_TRUSTED, pki.self_signed("CN=client-1,O=Bank"), pinned(CA.issue()))


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_weak_signature(digest):
    refused(Reason.CERTIFICATE_PATH, CA.issue(digest=digest))
    refused(Reason.CERTIFICATE_PATH, CA.issue_authority(digest=digest).issue())


def test_a_weak_signature_on_what_is_configured_by_its_bytes_does_not_matter():
    partner = pki.self_signed("CN=client-1", digest="sha1")
    judge(partner, pinned(partner))
    root = pki.authority("CN=Old root", digest="sha1")
    judge(root.issue(), group(root))


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def test_unknown_critical_extension():
    refused(Reason.CERTIFICATE_PATH, CA.issue(extensions=[(UNKNOWN, True)]))
    refused(Reason.CERTIFICATE_PATH, CA.issue_authority(extensions=[(UNKNOWN, True)]).issue())
    judge(CA.issue(extensions=[(UNKNOWN, False)]))
    judge(CA.issue_authority(extensions=[(UNKNOWN, False)]).issue())
    refused(Reason.CERTIFICATE_PATH, CA.issue(extensions=[(x509.PolicyConstraints(0, None), True)]))


def test_cross_signed_loop_ends():
    a = pki.authority("CN=A")
    b = pki.authority("CN=B")
    a_by_b, b_by_a = b.issue_authority("CN=A"), a.issue_authority("CN=B")
    leaf = a.issue()
    refused(Reason.CERTIFICATE_NOT_TRUSTED, leaf, offered=(a_by_b.certificate, b_by_a.certificate))
    judge(leaf, group(b), offered=(a_by_b.certificate, b_by_a.certificate))


def test_too_many_certificates():
    path = tuple(CA.issue_authority(f"CN={n}", key=pki.key("ec-p256", "many")).certificate for n in range(7))
    refused(Reason.CERTIFICATE_PATH, CA.issue(), offered=path)
    judge(CA.issue(), offered=path[:6])


@pytest.mark.parametrize("size", [17, 60])
def test_a_swarm_of_look_alikes_is_given_up(size):
    """Forty of P-521 were tried: 20 ms for 10 KB, ten times an accepted message."""
    swarm = [pki.authority("CN=Swarm", key=pki.key("ec-p256", f"swarm {n}")) for n in range(size)]
    judge(swarm[0].issue(), group(swarm[0]), offered=tuple(one.certificate for one in swarm[:6]))
    leaf = swarm[0].issue(signed_by=pki.key("ec-p256", "nobody"))
    refused(
        Reason.CERTIFICATE_PATH,
        leaf,
        offered=tuple(one.certificate for one in swarm),
        limits=Limits(path_certificates=60),
    )


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        {"key": pki.key("rsa-1024")},
        {"public_key": pki.huge_rsa(8192)},
        {"public_key": pki.huge_rsa(16384)},
        {"public_key": pki.huge_rsa(2048, exponent=1 << 2000 | 1)},
        {"key": pki.key("ec-secp256k1")},
    ],
    ids=["rsa 1024", "rsa 8192", "rsa 16384", "exponent", "secp256k1"],
)
def test_keys_beyond_the_limits(key):
    refused(Reason.CERTIFICATE_KEY, CA.issue(**key))
    leaf = CA.issue(**key)
    refused(Reason.CERTIFICATE_KEY, leaf, pinned(leaf))
    sub = CA.issue_authority(**key)
    refused(Reason.CERTIFICATE_KEY, replace(sub, key=pki.key()).issue(), offered=(sub.certificate,))


def test_a_huge_key_costs_nothing():
    leaf = CA.issue(public_key=pki.huge_rsa(16384))
    certificate = Certificate.from_der(leaf.certificate.der)
    trust = Trust((group(),), Limits())
    began = time.perf_counter()
    with pytest.raises(WSSecurityError):
        trust.judge(certificate, (), pki.NOW)
    assert time.perf_counter() - began < 0.05


def test_limits_are_settings():
    judge(CA.issue(key=pki.key("rsa-1024")), limits=Limits(rsa_bits_minimum=1024))
    refused(Reason.CERTIFICATE_KEY, CA.issue(), limits=Limits(rsa_bits_minimum=3072))


# --- usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "fits"),
    [
        (("digital_signature",), True),
        (("content_commitment",), True),
        (("key_encipherment", "data_encipherment"), False),
        (("key_agreement",), False),
    ],
)
def test_key_usage(usage, fits):
    leaf = CA.issue(extensions=[pki.key_usage(*usage)])
    for groups in ((group(),), (pinned(leaf),)):
        judge(leaf, *groups) if fits else refused(Reason.CERTIFICATE_USAGE, leaf, *groups)


def test_no_key_usage_is_no_restriction():
    judge(CA.issue(without=[x509.KeyUsage]))


CLIENT, SERVER, ANY = (
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)


@pytest.mark.parametrize(
    ("has", "required", "fits"),
    [
        (None, (), True),
        ((CLIENT,), (), True),
        ((CLIENT, SERVER), (), True),
        ((ANY,), (), True),
        ((SERVER,), (), False),
        ((CLIENT,), (CLIENT,), True),
        (None, (CLIENT,), False),
        ((ANY,), (CLIENT,), False),
        ((SERVER,), (SERVER, CLIENT), True),
    ],
)
def test_extended_key_usage(has, required, fits):
    leaf = CA.issue(extensions=[(x509.ExtendedKeyUsage(has), True)] if has else [])
    asked = group(extended_usage=frozenset(required))
    judge(leaf, asked) if fits else refused(Reason.CERTIFICATE_USAGE, leaf, asked)


def test_a_ca_signs_no_messages():
    sub = CA.issue_authority(
        "CN=client-1,O=Bank", extensions=[pki.key_usage("digital_signature", "key_cert_sign")]
    )
    refused(Reason.CERTIFICATE_USAGE, sub)
    refused(Reason.CERTIFICATE_NOT_TRUSTED, CA)
    judge(sub, pinned(sub))  # self-made certificates say CA:TRUE by accident; pinning means that one


# --- who ------------------------------------------------------------------------------------------


def test_clone_with_every_name_of_the_trusted_one():
    genuine = pki.self_signed("CN=client-1,O=Bank")
    same = x509.SubjectKeyIdentifier.from_public_key(genuine.parsed.public_key())
    clone = pki.self_signed(
        "CN=client-1,O=Bank",
        key=pki.key("rsa-2048", "attacker"),
        serial=genuine.parsed.serial_number,
        extensions=[(same, False)],
    )
    judge(genuine, pinned(genuine))
    refused(Reason.CERTIFICATE_NOT_TRUSTED, clone, pinned(genuine))
    refused(Reason.CERTIFICATE_NOT_TRUSTED, clone, pinned(genuine), offered=(genuine.certificate,))


def test_which_groups_know_somebody_by_that_name():
    """All that pin the certificate; of CAs the one whose word counts."""
    partner = CA.issue()
    twin = replace(pinned(partner), name="twin")
    assert judge(partner, group(), twin, pinned(partner)).groups == ("twin", pinned(partner).name)
    assert judge(partner, group(), pinned(CA.issue("CN=other"))).groups == (group().name,)


def test_our_own_certificate_is_no_client():
    own = CA.issue("CN=client-own,O=Bank")
    renewed = CA.issue("CN=client-new name,O=Bank", key=own.key)
    for one in (own, renewed):
        judge(one)
        judge(one, pinned(one))
        refused(Reason.OWN_CERTIFICATE, one, ring=[own])
        refused(Reason.OWN_CERTIFICATE, one, pinned(one), ring=[own])
    judge(CA.issue(), ring=[own])


def test_another_customer_of_the_same_ca():
    refused(Reason.CERTIFICATE_SUBJECT, CA.issue("CN=client-1,O=Other Bank"))


def test_roles_and_partner_of_a_rule():
    rules = (
        SubjectRule.of_name("CN=head office,O=Bank", "head-office", frozenset({"admin"})),
        *BANK,
    )
    trusted = judge(CA.issue("CN=head office,O=Bank"), group(subjects=rules))
    assert (trusted.partner, trusted.roles) == ("head-office", frozenset({"admin"}))


def test_a_group_without_rules_or_anchors_is_our_mistake():
    with pytest.raises(RuntimeError):
        group(subjects=())
    with pytest.raises(RuntimeError):
        AuthorityGroup("x", Authorities(()), BANK)


def test_several_groups():
    other = pki.authority("CN=Other CA")
    both = (group(), group(other))
    judge(other.issue(), *both)
    judge(CA.issue(), *both)
    refused(Reason.CERTIFICATE_EXPIRED, other.issue(end=pki.days(-1)), *both)
    refused(Reason.CERTIFICATE_NOT_TRUSTED, pki.authority("CN=Third CA").issue(), *both)


def test_nobody_is_trusted_by_nothing():
    trust = Trust((), Limits())
    assert trust.empty
    with pytest.raises(WSSecurityError) as caught:
        trust.judge(CA.issue().certificate, (), pki.NOW)
    assert caught.value.reason is Reason.CERTIFICATE_NOT_TRUSTED


def bent_der(holder, old, new):
    assert holder.certificate.der.count(old) == 1
    return Certificate.from_der(holder.certificate.der.replace(old, new))


def test_malformed_parts_are_refused_for_what_they_are():
    leaf = CA.issue("CN=client-bent,O=Bank")
    for certificate in (
        bent_der(leaf, b"\x0c\x0bclient-bent", b"\x02\x0bclient-bent"),  # an INTEGER for a name
        bent_der(leaf, b"\x0c\x0bclient-bent", b"\x0c\x0b\xff\xfeient-bent"),  # no UTF-8
        bent_der(leaf, bytes.fromhex("0603551d0e"), bytes.fromhex("0603551d0f")),  # two key usages
    ):
        for offered in ((certificate, ()), (CA.issue().certificate, (certificate,))):
            with pytest.raises(WSSecurityError) as caught:
                Trust((group(),), Limits()).judge(*offered, pki.NOW)
            assert caught.value.reason is Reason.MALFORMED_CERTIFICATE


# --- the memory of verdicts -----------------------------------------------------------------------


def test_a_verdict_is_remembered_only_while_it_holds():
    short = CA.issue_authority("CN=Short", start=pki.days(-1), end=pki.days(1))
    leaf = short.issue()
    trust = Trust((group(),), Limits())
    first = trust.judge(leaf.certificate, leaf.path, pki.NOW)
    again = Certificate.from_der(leaf.certificate.der)
    assert trust.remembered(again, leaf.path, pki.days(1)) is first
    assert trust.remembered(again, leaf.path, pki.days(1.01)) is None
    assert trust.remembered(again, leaf.path, pki.days(-1.01)) is None
    assert trust.remembered(again, (), pki.NOW) is None
    assert trust.remembered(CA.issue().certificate, leaf.path, pki.NOW) is None


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr("wsprovider.keyring.trust._REMEMBERED", 2)
    trust = Trust((group(),), Limits())
    for _ in range(5):
        trust.judge(CA.issue().certificate, (), pki.NOW)
    assert len(trust._verdicts) <= 2


def test_refusals_are_not_remembered():
    trust = Trust((group(),), Limits())
    leaf = CA.issue(end=pki.days(-1))
    with pytest.raises(WSSecurityError):
        trust.judge(leaf.certificate, (), pki.NOW)
    assert trust._verdicts == {}


# --- looking up -----------------------------------------------------------------------------------


def test_a_renewed_certificate_is_found_beside_the_old_one_the_valid_one_first():
    old = pki.self_signed("CN=client-1", end=pki.days(-1))
    new = pki.self_signed("CN=client-1")
    trust = Trust((pinned(old, new),), Limits())
    ski = KeyIdentifierReference(new.certificate.subject_key_identifier)
    assert trust.named(ski, pki.NOW) == (new.certificate, old.certificate)
    assert trust.named(ThumbprintReference(old.certificate.thumbprint_sha1), pki.NOW) == (old.certificate,)


def test_encryption_certificate():
    old, new = pki.self_signed("CN=service"), pki.self_signed("CN=service", start=pki.days(-1))
    later = pki.self_signed("CN=service", start=pki.days(1))
    signer = pki.self_signed(
        "CN=service", start=pki.days(-0.5), extensions=[pki.key_usage("digital_signature")]
    )
    trust = Trust((pinned(old, new, later, signer, name="service"),), Limits())
    assert trust.encryption_certificate("service", pki.NOW) == new.certificate
    assert trust.encryption_certificate(None, pki.NOW) == new.certificate
    assert trust.encryption_certificate("nobody", pki.NOW) is None
    two = Trust((pinned(old, name="a"), pinned(pki.self_signed("CN=other"), name="b")), Limits())
    assert two.encryption_certificate(None, pki.NOW) is None


# --- an independent opinion -----------------------------------------------------------------------


def independent(leaf, root, offered):
    ca = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    policy = PolicyBuilder().store(Store([root.parsed])).time(pki.NOW).max_chain_depth(5)
    verifier = policy.extension_policies(
        ca_policy=ca, ee_policy=ExtensionPolicy.permit_all()
    ).build_client_verifier()
    try:
        verifier.verify(leaf.parsed, [one.parsed for one in offered])
    except VerificationError:
        return False
    return True


@pytest.mark.parametrize(
    "bend_leaf", [{}, {"end": pki.days(-1)}, {"extensions": [(UNKNOWN, True)]}, {"digest": "sha1"}]
)
@pytest.mark.parametrize(
    "bend_sub",
    [
        {},
        {"start": pki.days(1)},
        {"without": [x509.BasicConstraints]},
        {"path_length": 0},
        {"digest": "sha1"},
    ],
)
@pytest.mark.parametrize("root_length", [None, 0, 1])
def test_the_verifier_of_cryptography_agrees(bend_leaf, bend_sub, root_length):
    root = pki.authority("CN=Limbo", path_length=root_length)
    leaf = root.issue_authority("CN=Limbo sub", **bend_sub).issue(**bend_leaf)
    try:
        judge(leaf, group(root))
        ours = True
    except WSSecurityError:
        ours = False
    assert ours == independent(leaf, root, leaf.path)


def test_names_without_text():
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client-\x00", _validate=False)])
    refused(
        Reason.CERTIFICATE_SUBJECT,
        CA.issue("CN=x", subject_name=subject),
        group(subjects=(SubjectRule.of_attributes({"CN": "client-*"}),)),
    )
