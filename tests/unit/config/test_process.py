"""provider.toml: each mistake beside its accepted twin."""

from pathlib import Path

import pytest

from wsprovider.config.problems import Problems
from wsprovider.config.process import ProcessSettings, read_process

ROWS = [
    ('kyes = "x"', 'keys = "x"', 'did you mean "keys"?'),
    ("keys = 1", 'keys = "/k"', "must be a string"),
    ('shared = "mysql://x"', 'shared = "redis://localhost:6379/0"', 'names no store by "mysql:'),
    ('shared = "/var/x"', 'shared = "sqlite:///var/x"', "names no store"),
    ('trusted_proxies = ["10.0.0.1/8"]', 'trusted_proxies = ["10.0.0.0/8"]', "has host bits set"),
    ('trusted_proxies = "proxy"', 'trusted_proxies = "10.1.2.3"', "does not appear to be"),
    ('trusted_proxies = ["0.0.0.0/0"]', 'trusted_proxies = ["fd00::/8"]', "trusts every address"),
    ('trusted_proxies = ["::/0"]', 'trusted_proxies = ["::1"]', "trusts every address"),
    (
        'client_certificate_header = "Client-Cert"',
        'client_certificate_header = "Client-Cert"\ntrusted_proxies = "unix"',
        "counts only from a proxy",
    ),
    (
        'client_certificate_header = "Client_Cert"\ntrusted_proxies = "unix"',
        'client_certificate_header = "X-SSL-Client-Cert"\ntrusted_proxies = "10.1.2.3"',
        "is no name of letters",
    ),
    ('public_url = "here"', 'public_url = "https://here"', "is no base URL"),
    ('trusted_proxies = "Unix"', 'trusted_proxies = "unix"', "does not appear to be"),
    ("metrics = 1", "metrics = false", "must be true or false"),
    ('[tls]\ncertificate = "c"', '[tls]\ncertificate = "c"\nkey = "k"', "needs both"),
    ('tls = "c"', "[tls]", "must be a table, [tls]"),
    ("seen_every = 0", "seen_every = 1", "seen_every"),
    ("seen_every = 3601", "seen_every = 3600", "seen_every"),
    ("replay_entries = 99", "replay_entries = 100", "must lie between 100"),
    (
        'replay_entries = 1000\nshared = "rediss://h"',
        'replay_entries = 1000\nshared = "sqlite:///x"',
        "say maxmemory in Redis' own configuration",
    ),
    ('krb5_conf = "none.conf"', 'krb5_conf = "provider.toml"', "cannot be read: No such file"),
    ("krb5_conf = true", 'krb5_conf = "/dev/null"', "must be a string"),
    ("guessing = false", "[guessing]\nenabled = false", "must be a table, [guessing]"),
    (
        "[guessing]\nfree_per_calller = 1",
        "[guessing]\nfree_per_caller = 0",
        'did you mean "free_per_caller"?',
    ),
    ("[guessing]\nfree_per_address = -1", "[guessing]\nfree_per_address = 500", "lie between 0 and"),
    ("[guessing]\nlongest_per_user = 301", "[guessing]\nlongest_per_user = 300", "lie between 1 and 300"),
    ("[guessing]\nforget = 59", "[guessing]\nforget = 60", "lie between 60 and"),
    ("[guessing]\nknown_days = 0", "[guessing]\nknown_days = 1\nknown = 1", "lie between 1 and 400"),
    (
        '[guessing]\nshared_addresses = ["10.0.0.1/8"]',
        '[guessing]\nshared_addresses = ["10.0.0.0/8", "::/0"]',
        "has host bits set",
    ),
    ("tracing = 1", "tracing = true", "must be true or false"),
    ('[monitor]\nbind = "9464"', '[monitor]\nbind = "127.0.0.1:9464"', "write an address and a port such as"),
    ('[monitor]\nbind = "::1:9464"', '[monitor]\nbind = "[::1]:9464"', "is no bind"),
    ('[monitor]\nbind = "localhost:65536"', '[monitor]\nbind = "localhost:65535"', "is no bind"),
    ('[monitor]\nbind = "localhost:0"', '[monitor]\nbind = "off"', "is no bind"),
    ("[monitor]\nbind = 9464", "[monitor]", "must be a string"),
    ('[monitor]\nprot = "x"', "[monitor]", "prot"),
    ("monitor = true", "", "must be a table, [monitor]"),
    ('[tls]\ncertficate = "c"', "[tls]", 'did you mean "certificate"?'),
]


def _read(folder: Path, text: str) -> tuple[ProcessSettings, list[str]]:
    problems = Problems()
    (folder / "provider.toml").write_text(text)
    settings = read_process(folder, problems)
    return settings, [str(problem) for problem in problems]


@pytest.mark.parametrize(("wrong", "right", "what"), ROWS)
def test_mistake_is_reported_and_its_twin_accepted(tmp_path: Path, wrong: str, right: str, what: str):
    _, problems = _read(tmp_path, wrong)
    assert len(problems) == 1
    assert problems[0].startswith(f"{tmp_path.name}/provider.toml:")
    assert what in problems[0]
    assert _read(tmp_path, right)[1] == []


def test_no_file_means_the_defaults(tmp_path: Path):
    problems = Problems()
    assert read_process(tmp_path, problems) == ProcessSettings()
    assert str(ProcessSettings().monitor) == "127.0.0.1:9464"
    assert not len(problems)


def test_a_keys_folder_is_relative_to_the_file(tmp_path: Path):
    settings, _ = _read(tmp_path, 'keys = "../secret"')
    assert settings.keys == tmp_path.parent / "secret"
