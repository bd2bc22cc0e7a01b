import pytest

from wsprovider.cli.main import main
from wsprovider.version import __version__


def test_version_names_ours_and_those_that_matter(capsys):
    assert main(["version"]) == 0
    out = capsys.readouterr().out
    assert f"wsprovider {__version__}" in out
    assert "  lxml " in out


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["serve", "--http-port", "x"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: wsprovider" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init", "serve", "services", "check", "sessions", "users", "version"])
def test_each_command_explains_itself(command: str, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) > 4
