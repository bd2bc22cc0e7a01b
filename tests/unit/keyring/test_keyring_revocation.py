"""Revocation lists: revoked, stale, missing, foreign, partial (G05), each beside the one that serves."""

import pytest
from cryptography import x509

from tests.simulator import pki
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.revocation import RevocationLists
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Trust
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason

CA = pki.authority()
OTHER = pki.authority("CN=Other CA")
LEAF = CA.issue()
RULES = (SubjectRule.of_attributes({"CN": "client-*"}),)


def trust(*lists, anchor=CA):
    parsed = RevocationLists(tuple(x509.load_der_x509_crl(one) for one in lists))
    return Trust(
        [AuthorityGroup("g", Authorities((anchor.certificate,)), RULES, revocation=parsed)], Limits()
    )


def accepted(*lists, leaf=LEAF, now=pki.NOW, anchor=CA):
    trust(*lists, anchor=anchor).judge(leaf.certificate, leaf.path, now)


def refused(reason, *lists, leaf=LEAF, now=pki.NOW, anchor=CA):
    with pytest.raises(WSSecurityError) as caught:
        accepted(*lists, leaf=leaf, now=now, anchor=anchor)
    assert caught.value.reason is reason


def point(**given):
    every = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return [(x509.IssuingDistributionPoint(**{**every, **given}), True)]


def test_a_fresh_list_without_the_certificate():
    accepted(CA.crl())
    accepted(CA.crl(CA.issue("CN=somebody else")))


def test_revoked():
    refused(Reason.CERTIFICATE_REVOKED, CA.crl(LEAF))
    refused(Reason.CERTIFICATE_REVOKED, CA.crl(), CA.crl(LEAF))


def test_what_a_stale_list_revoked_stays_revoked():
    refused(Reason.CERTIFICATE_REVOKED, CA.crl(LEAF, start=pki.days(-9), end=pki.days(-2)), CA.crl())


def test_stale_and_future_lists():
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(end=pki.days(-0.1)))
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(start=pki.days(0.1)))
    accepted(CA.crl(end=pki.days(-0.1)), CA.crl())
    accepted(CA.crl(end=pki.NOW))


def test_missing_list():
    refused(Reason.REVOCATION_UNKNOWN)
    refused(Reason.REVOCATION_UNKNOWN, OTHER.crl())


def test_list_in_the_name_of_the_issuer_by_somebody_else():
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(signed_by=OTHER.key))
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(issuer_name="CN=Other CA"))


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_weakly_signed_list(digest):
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(digest=digest))
    accepted(CA.crl(digest="sha512"))


def test_issuer_that_may_not_sign_lists():
    root = pki.authority("CN=No lists", extensions=[pki.key_usage("key_cert_sign")])
    refused(Reason.REVOCATION_UNKNOWN, root.crl(), leaf=root.issue(), anchor=root)


def test_every_certificate_of_the_path_is_looked_up():
    sub = CA.issue_authority("CN=Sub")
    leaf = sub.issue()
    accepted(CA.crl(), sub.crl(), leaf=leaf)
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(), leaf=leaf)
    refused(Reason.REVOCATION_UNKNOWN, sub.crl(), leaf=leaf)
    refused(Reason.CERTIFICATE_REVOKED, CA.crl(sub), sub.crl(), leaf=leaf)
    refused(Reason.CERTIFICATE_REVOKED, CA.crl(), sub.crl(leaf), leaf=leaf)


@pytest.mark.parametrize(
    "extensions",
    [
        [(x509.DeltaCRLIndicator(1), True)],
        [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)],
        point(indirect_crl=True),
        point(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise})),
        point(only_contains_ca_certs=True),
        point(only_contains_attribute_certs=True),
        point(full_name=[x509.UniformResourceIdentifier("http://ca.example/1.crl")]),
        point(relative_name=x509.RelativeDistinguishedName(list(pki.name("CN=x")))),
    ],
)
def test_a_list_that_does_not_cover_the_certificate(extensions):
    refused(Reason.REVOCATION_UNKNOWN, CA.crl(extensions=extensions))


def test_partial_lists_that_do_cover_it():
    accepted(CA.crl(extensions=[(x509.CRLNumber(1), False)]))
    accepted(CA.crl(extensions=point(only_contains_user_certs=True)))
    here = [x509.UniformResourceIdentifier("http://ca.example/1.crl")]
    leaf = CA.issue(
        extensions=[(x509.CRLDistributionPoints([x509.DistributionPoint(here, None, None, None)]), False)]
    )
    accepted(CA.crl(extensions=point(full_name=here)), leaf=leaf)


def test_a_verdict_ends_with_its_list():
    one = trust(CA.crl(end=pki.days(1)))
    one.judge(LEAF.certificate, (), pki.NOW)
    assert one.remembered(LEAF.certificate, (), pki.days(1)) is not None
    assert one.remembered(LEAF.certificate, (), pki.days(1.01)) is None
    with pytest.raises(WSSecurityError):
        one.judge(LEAF.certificate, (), pki.days(1.01))


def test_a_second_path_may_have_its_lists_at_hand():
    a, b = pki.authority("CN=A"), pki.authority("CN=B")
    sub = pki.key("rsa-2048", "cross")
    by_a, by_b = a.issue_authority("CN=Cross", key=sub), b.issue_authority("CN=Cross", key=sub)
    leaf = by_a.issue()
    lists = RevocationLists(tuple(x509.load_der_x509_crl(one) for one in (b.crl(), by_a.crl())))
    group = AuthorityGroup("g", Authorities((a.certificate, b.certificate)), RULES, revocation=lists)
    Trust([group], Limits()).judge(leaf.certificate, (by_a.certificate, by_b.certificate), pki.NOW)
