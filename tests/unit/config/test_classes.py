"""Loading service.py: its mistakes, each beside what is accepted, and the isolation of services."""

import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest

from wsprovider.config.classes import import_classes
from wsprovider.words.errors import ConfigurationError


class Base:
    """Stands in for Spyne's ServiceBase."""

    public_methods: ClassVar[dict[str, int]] = {}


def _load(folder: Path, text: str, name: str = "one") -> tuple[type, ...]:
    path = folder / name / "service.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return import_classes(path, f"services/{name}/service.py", base=Base)


GOOD = f"from {__name__} import Base\nclass One(Base):\n    public_methods = {{'echo': 1}}\n"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _module())


def _module():
    module = types.ModuleType(__name__)
    module.Base = Base
    return module


def test_the_service_class_is_found_and_its_base_is_not(tmp_path: Path):
    assert [cls.__name__ for cls in _load(tmp_path, GOOD)] == ["One"]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("x = 1\nclass One(:\n", "service.py:2", "cannot be imported: SyntaxError"),
        ("\n\nimport no_such_module_anywhere\n", "service.py:3", "ModuleNotFoundError: No module named"),
        ("def f():\n    return 1 / 0\n\nf()\n", "service.py:2", "ZeroDivisionError"),
        ("import json\njson.loads('{')\n", "service.py:2", "JSONDecodeError"),
        ("x = 1\n", "service.py", "defines no class derived from"),
        (GOOD.replace("'echo': 1", ""), "service.py", "no operation in One"),
        (f"from {__name__} import Base\n", "service.py", "defines no class derived from"),
    ],
)
def test_mistakes_are_problems_with_their_line(tmp_path: Path, text: str, where: str, what: str):
    with pytest.raises(ConfigurationError) as caught:
        _load(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.where == f"services/one/{where}"
    assert what in problem.what


def test_a_mistake_in_a_module_beside_it_is_found_there(tmp_path: Path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "model.py").write_text("import json\n\n1 / 0\n")
    with pytest.raises(ConfigurationError) as caught:
        _load(tmp_path, "from . import model\n" + GOOD)
    assert caught.value.problems[0].where == "services/one/model.py:3"


def test_a_missing_file_is_a_problem(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="is missing"):
        import_classes(tmp_path / "service.py", "services/one/service.py", base=Base)


def test_two_services_may_have_modules_of_one_name_beside_them(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.py").write_text(f"NAME = {name!r}\n")
    text = "from .model import NAME\n" + GOOD + "    name = NAME\n"
    before = list(sys.path)
    assert [_load(tmp_path, text, name)[0].name for name in ("one", "two")] == ["one", "two"]
    assert sys.path == before


def test_loading_again_sees_the_files_as_they_are_now(tmp_path: Path):
    text = "from .model import NAME\n" + GOOD + "    name = NAME\n"
    (tmp_path / "one").mkdir()
    for name in ("first", "second, longer"):
        (tmp_path / "one" / "model.py").write_text(f"NAME = {name!r}\n")
        assert _load(tmp_path, text)[0].name == name
