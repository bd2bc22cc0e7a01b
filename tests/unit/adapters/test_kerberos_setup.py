"""What an operator may get wrong about Kerberos, found at start and told in a sentence; no KDC is needed."""

import os
import sys

import pytest

from wsprovider.adapters.kerberos import (
    KeytabAcceptor,
    Tickets,
    by_password,
    gss,
    named_password,
    password_acceptor,
    use_krb5_conf,
)
from wsprovider.adapters.kerberos.keytab import KeytabKey, write_keytab
from wsprovider.adapters.kerberos.passwords import password_key
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.words.errors import BackendError, ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

HTTP, OTHER = "HTTP/host@R.EXAMPLE", "HTTP/other@R.EXAMPLE"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """libkrb5 with a krb5.conf of our own."""
    pytest.importorskip("gssapi", exc_type=ImportError)
    conf = tmp_path / "krb5.conf"
    conf.write_text("[libdefaults]\n default_realm = R.EXAMPLE\n")
    monkeypatch.setenv("KRB5_CONFIG", str(conf))


@pytest.fixture
def keytab(tmp_path):
    path = tmp_path / "service.keytab"
    path.write_bytes(write_keytab([KeytabKey(Principal.parse(HTTP), 1, 18, bytes(32))]))
    path.chmod(0o600)
    return path


def problems(what, *args, **kwargs):
    with pytest.raises(ConfigurationError) as caught:
        what(*args, **kwargs)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "what",
    [
        KeytabAcceptor,
        lambda path: password_acceptor(HTTP, "secret"),
        lambda path: Tickets(HTTP, by_password("a@R.EXAMPLE", "secret")),
    ],
    ids=["keytab", "password", "client"],
)
def test_without_gssapi_the_extra_and_debians_packages_are_named(what, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setitem(sys.modules, "gssapi.raw", None)
    (problem,) = problems(what, tmp_path / "any")
    for word in ("wsprovider[kerberos]", "libkrb5-dev", "gcc", "libgssapi-krb5-2"):
        assert word in problem
    assert "secret" not in problem


def test_a_keytab_that_can_be_used(library, keytab):
    assert KeytabAcceptor(keytab).warnings == ()
    assert KeytabAcceptor(keytab, principals=[HTTP], enctypes=["aes256-cts"]).warnings == ()
    keytab.chmod(0o640)
    (warning,) = KeytabAcceptor(keytab).warnings
    assert "chmod 600" in warning


def test_a_keytab_that_cannot(library, keytab, tmp_path):
    def wrong(path=keytab, **kwargs):
        (problem,) = problems(KeytabAcceptor, path, **kwargs)
        return problem.removeprefix(f"{path}: ")

    assert wrong(tmp_path / "none") == "cannot be read: No such file or directory"
    assert wrong(tmp_path) == "cannot be read: Is a directory"
    os.mkfifo(tmp_path / "pipe")
    assert wrong(tmp_path / "pipe") == "is no file"
    assert wrong(principals=[OTHER, HTTP]) == f"has no key of {OTHER}; it holds {HTTP}"
    only = "for aes256-cts-hmac-sha1-96 only; allowed are aes128-cts-hmac-sha1-96"
    assert wrong(principals=[HTTP], enctypes=["aes128-cts"]) == f"has keys of {HTTP} {only}"
    allowed = "holds no key of an encryption type that is allowed (aes128-cts-hmac-sha1-96)"
    assert wrong(enctypes=["aes128-cts"]) == allowed
    assert "'aes' is no encryption type" in wrong(enctypes=["aes"])
    assert len(problems(KeytabAcceptor, keytab, principals=["HTTP", "a@"])) == 2
    keytab.write_bytes(b"text")
    assert wrong() == "no keytab"


class Said(Exception):
    """As python-gssapi raises: libkrb5's code as a number without sign."""

    def __init__(self, code):
        self.min_code = code % (1 << 32)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (-1765328353, Reason.TICKET_INVALID),  # KRB_AP_ERR_BAD_INTEGRITY
        (-1765328343, Reason.TICKET_INVALID),  # KRB_AP_ERR_MODIFIED
        (-1765328340, Reason.TICKET_INVALID),  # KRB_AP_ERR_BADKEYVER
        (-1765328352, Reason.TICKET_EXPIRED),
        (-1765328351, Reason.TICKET_EXPIRED),
        (-1765328347, Reason.TICKET_SKEW),
        (-1765328349, Reason.TICKET_SERVICE),
        (-1765328339, Reason.TICKET_SERVICE),
        (-1765328148, Reason.TICKET_ENCTYPE),
        (-1765328345, Reason.KERBEROS_TOKEN),
        (1859794437, Reason.TICKET_INVALID),  # ASN1_OVERRUN
        (100001, Reason.TICKET_INVALID),  # a number of GSS-API's own
        (0, Reason.TICKET_INVALID),
    ],
)
def test_each_error_of_libkrb5_has_a_reason(code, reason):
    found = gss.refusal(Said(code), version_known=True)
    assert isinstance(found, WSSecurityError)
    assert found.reason is reason
    assert found.detail


@pytest.mark.parametrize("code", [-1765328353, -1765328343, -1765328340])
def test_a_key_version_that_we_do_not_have_explains_why_nothing_opens_the_ticket(code):
    found = gss.refusal(Said(code), version_known=False)
    assert isinstance(found, WSSecurityError)
    assert found.reason is Reason.TICKET_SERVICE


@pytest.mark.parametrize("code", [-1765328203, -1765328200])
def test_keys_that_libkrb5_cannot_reach_are_a_backend_that_does_not_answer(code):
    assert isinstance(gss.refusal(Said(code), version_known=True), BackendError)


def test_a_password_that_cannot_be_used(library):
    assert "empty" in problems(password_acceptor, HTTP, "")[0]
    assert "is written" in problems(password_acceptor, "esb/localhost", "secret")[0]
    assert "UTF-8" in problems(password_acceptor, HTTP, "\ud800")[0]
    assert (
        "libkrb5 makes no key for des-cbc-crc"
        in problems(password_acceptor, HTTP, "x", enctypes=["des-cbc-crc"])[0]
    )


def test_rc4s_key_is_the_passwords_md4(library):
    assert password_key("password", "any salt", 23).hex() == "8846f7eaee8fb117ad06bdd830b7586c"


def test_where_a_password_stands(tmp_path):
    path = tmp_path / "password"
    path.write_bytes(b"a p\xc3\xa4ssword\n")
    path.chmod(0o600)
    assert named_password(variable=None, file=path, environ={}) == "a pässword"
    assert named_password(variable="P", file=None, environ={"P": " kept as it is "}) == " kept as it is "

    def wrong(**kwargs):
        return problems(named_password, **{"variable": None, "file": None, "environ": {}, **kwargs})[0]

    assert "either" in wrong()
    assert "either" in wrong(variable="P", file=path)
    assert "P is not set" in wrong(variable="P")
    assert "P is no UTF-8" in wrong(variable="P", environ={"P": "\udcff"})
    assert "cannot be read" in wrong(file=tmp_path / "none")
    for content in (b"", b"\n", b"one\ntwo\n", b"x" * 5000):
        path.write_bytes(content)
        assert "only line" in wrong(file=path)
    path.write_bytes(b"\xff")
    assert "UTF-8" in wrong(file=path)
    path.chmod(0o644)
    assert "chmod 600" in wrong(file=path)


def test_one_krb5_conf_for_the_whole_process(tmp_path, monkeypatch):
    monkeypatch.setattr(gss._Chosen, "path", None)
    monkeypatch.setenv("KRB5_CONFIG", "/etc/krb5.conf")
    one, two = tmp_path / "one.conf", tmp_path / "two.conf"
    assert "cannot be read" in problems(use_krb5_conf, one, os.environ)[0]
    assert os.environ["KRB5_CONFIG"] == "/etc/krb5.conf"
    one.touch()
    two.touch()
    for _ in range(2):
        use_krb5_conf(one, os.environ)
        assert os.environ["KRB5_CONFIG"] == str(one)
    (problem,) = problems(use_krb5_conf, two, os.environ)
    assert str(one) in problem
    assert str(two) in problem
    assert os.environ["KRB5_CONFIG"] == str(one)
