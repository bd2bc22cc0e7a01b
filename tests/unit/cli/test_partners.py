"""``wsprovider partners``: who may call what; ``check`` reads the file, and ``explain`` knows whose ways there are."""

import pytest

FILE = """[acme]
certificates = ["clients/client-1"]
users = ["alice"]
roles = ["partner", "gold"]
services = ["echo"]
operations = ["echo:echo"]
rsa_sha1 = true

[beta]
tickets = ["beta@EXAMPLE.ORG"]
services = []
"""


def test_each_partner_is_told(site, capsys):
    (site.keys / "partners.toml").write_text(FILE)
    assert site.run("partners") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "acme"
    assert said[1] == "  certificate clients/client-1"
    assert said[2].startswith("    until 20")
    assert said[3:] == [
        "  user alice",
        "  roles gold, partner",
        "  may call /2 (echo): echo, also by rsa_sha1",
        "  may call /5 (echo): echo, also by rsa_sha1",
        "  may call /8 (echo): echo, also by rsa_sha1",
        "beta",
        "  ticket beta@EXAMPLE.ORG",
        "  may call nothing",
    ]


def test_there_may_be_none(site, capsys):
    (site.keys / "partners.toml").unlink(missing_ok=True)
    assert site.run("partners") == 0
    assert capsys.readouterr().out == "no partners: keys/partners.toml names none\n"


@pytest.mark.parametrize("command", ["partners", "check"])
def test_mistakes_are_told(site, capsys, command):
    (site.keys / "partners.toml").write_text(
        FILE.replace("echo:echo", "echo:shout").replace("alice", "alcie")
    )
    assert site.run(command) == 2
    said = capsys.readouterr().err
    assert '"echo:shout": there is no such operation' in said
    assert '"alcie" is in no user store' in said
    (site.keys / "partners.toml").write_text(FILE)
    assert site.run(command) == 0
