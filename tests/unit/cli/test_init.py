"""``wsprovider init`` in an empty folder, and in one that is not."""

import tomllib
from pathlib import Path

import pytest

from wsprovider.cli.main import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("WSPROVIDER_SERVICES", "WSPROVIDER_KEYS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_an_empty_folder_becomes_a_project(project: Path, capsys):
    assert main(["init"]) == 0
    files = _tree(project)
    assert {"wsgi.py", "services/hello/service.py", "services/hello/service.toml", ".gitignore"} <= set(files)
    assert {"keys/users.toml", "keys/service/ring.toml", "keys/development/README.md"} <= set(files)
    assert b"/keys/" in files[".gitignore"]
    assert tomllib.loads(files["services/hello/service.toml"].decode())["path"] == "/hello"
    assert "wrote wsgi.py" in capsys.readouterr().out


def test_what_is_there_is_never_written_over(project: Path, capsys):
    (project / "wsgi.py").write_text("mine = True\n")
    assert main(["init"]) == 0
    before = _tree(project)
    assert before["wsgi.py"] == b"mine = True\n"
    capsys.readouterr()
    assert main(["init"]) == 0
    assert _tree(project) == before
    assert "wrote" not in capsys.readouterr().out


def test_what_init_wrote_is_a_configuration_without_problems(project: Path, capsys):
    main(["init"])
    capsys.readouterr()
    assert main(["services"]) == 0
    out = capsys.readouterr().out
    assert "/hello  8 sign-encrypt-username  Basic256Sha256  service  -" in out


def test_a_mistake_in_it_is_told_with_file_and_line(project: Path, capsys):
    main(["init"])
    file = project / "services" / "hello" / "service.toml"
    file.write_text(file.read_text().replace('path = "/hello"', 'path = "hello"'))
    assert main(["services"]) == 2
    assert "services/hello/service.toml:3: path" in capsys.readouterr().err
