"""``wsprovider check``: what is wrong with Kerberos, before anything is served."""

import sys
from pathlib import Path

import pytest

from wsprovider.adapters.kerberos import gss
from wsprovider.cli.main import main

KERBEROS = 'path = "/hello"\nscenario = "kerberos"\nkerberos = { keytab = "kerberos/echo.keytab" }\n'


@pytest.fixture
def check(tmp_path: Path, monkeypatch, capsys):
    """The exit code and what was printed, for a service.toml in a folder of its own."""
    for name in ("WSPROVIDER_SERVICES", "WSPROVIDER_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gss._Chosen, "path", None)
    monkeypatch.chdir(tmp_path)
    main(["init"])
    capsys.readouterr()

    def check(text: str) -> tuple[int, str]:
        Path("services/hello/service.toml").write_text(text)
        code = main(["check"])
        return code, "".join(capsys.readouterr())

    return check


def test_a_keytab_is_opened(check, tmp_path):
    pytest.importorskip("gssapi", exc_type=ImportError)
    assert check(KERBEROS) == (0, "1 endpoints of 1 services: nothing wrong\n")
    (tmp_path / "keys" / "kerberos" / "echo.keytab").chmod(0o644)
    code, said = check(KERBEROS)
    assert code == 0
    assert "warning: " in said
    assert "chmod 600" in said
    (tmp_path / "keys" / "kerberos" / "echo.keytab").unlink()
    code, said = check(KERBEROS)
    assert code == 2
    assert "echo.keytab: cannot be read: No such file or directory (needed by /hello)" in said


def test_roles_of_tickets_need_somebody_who_gives_them(check):
    pytest.importorskip("gssapi", exc_type=ImportError)
    wanting = f'roles = ["orders"]\n{KERBEROS}'
    code, said = check(wanting)
    assert code == 2
    assert "services/hello/service.toml:1: roles" in said
    assert "name users, or write keys/partners.toml" in said
    assert check(f'users = "users.toml"\n{wanting}')[0] == 0
    Path("keys/partners.toml").write_text('[acme]\ntickets = ["acme@EXAMPLE.ORG"]\nroles = ["orders"]\n')
    assert check(wanting)[0] == 0


def test_the_extra_is_missing(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "gssapi", None)
    monkeypatch.setitem(sys.modules, "gssapi.raw", None)
    code, said = check(KERBEROS)
    assert code == 2
    assert "services/hello/service.toml:3: kerberos" in said
    assert 'pip install "wsprovider[kerberos]"' in said
    other = 'path = "/plain"\nscenario = 3\n'
    both = f'[[endpoint]]\n{other}[[endpoint]]\n{KERBEROS}optional = "kerberos"\n'
    code, said = check(both)
    assert code == 0
    assert "warning: /hello is left out: gssapi is not installed" in said
    assert "1 endpoints of 1 services" in said
