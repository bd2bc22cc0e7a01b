"""``wsprovider renew``: exit codes, letters, and what it says where something is missing; more in test_runbooks."""

import shutil

import pytest

from wsprovider.keyring.uses import Case, Use


def test_exit_codes(site):
    """Nothing under way, under way, and no successor for a certificate that ends soon."""
    assert site.run("renew", "sign") == 0
    site.run("keys", "new", "2027", "--days", "20")
    assert site.run("renew", "sign") == 3
    site.run("keys", "activate", "2027")
    site.run("keys", "retire", "development", "--compromised")
    site.run("keys", "remove", "development")
    assert site.run("renew", "sign") == 3
    site.run("keys", "new", "2028")
    site.run("keys", "activate", "2028")
    site.run("keys", "retire", "2027", "--compromised")
    site.run("keys", "remove", "2027")
    assert site.run("renew", "sign") == 0


@pytest.mark.parametrize(("purposes", "signed"), [((), True), (("--purpose", "decrypt"), False)])
def test_the_letter_says_what_a_key_does_that_does_both(site, capsys, purposes, signed):
    site.run("keys", "new", "2027", *purposes)
    capsys.readouterr()
    assert site.run("renew", "decrypt", "--letter") == 0
    assert ("is signed by it" in capsys.readouterr().out) is signed


def test_there_is_no_letter_without_a_key(site, capsys):
    assert site.run("renew", "decrypt", "--letter") == 2
    assert "wsprovider keys new NAME" in capsys.readouterr().err


def test_what_is_missing(site, capsys):
    assert site.run("renew", "verify", "--partner", "nobody") == 2
    assert "pinned are client-1, client-2" in capsys.readouterr().err
    assert site.run("renew", "sign", "--service", "nothing") == 2
    assert "there are echo" in capsys.readouterr().err
    shutil.rmtree(site.ring)  # and only user names over TLS, which needs none
    service = 'users = "users.toml"\n[[endpoint]]\npath = "/1"\nscenario = "1"\n'
    (site.folder / "services" / "echo" / "service.toml").write_text(service)
    assert site.run("renew", "sign") == 2
    assert "there is no ring service yet: wsprovider keys new" in capsys.readouterr().err


def test_a_store_that_cannot_tell(site, capsys):
    site.run("keys", "new", "2027")
    site.see(Use(Case.DECRYPT, "client-1", site.certificate("2027.cert.pem")))
    capsys.readouterr()
    site.run("renew", "decrypt")
    assert "not known" not in capsys.readouterr().out
    (site.folder / "services" / "provider.toml").write_text('shared = "memory:"\n')
    assert site.run("renew", "decrypt") == 3
    assert "what was seen on the wire is not known" in capsys.readouterr().out
