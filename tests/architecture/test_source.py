"""What every source file keeps to, checked by reading all of them."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "wsprovider"
MODULES = sorted(PACKAGE.rglob("*.py"))
CEILING = 400

# Places outside words/ that may spell an http:// literal, and why.
HTTP_LITERALS = {
    "cli/serve.py": "addresses of its own listeners",
}

# Split, so that this file does not find itself.
FOREIGN_HOSTS = re.compile(
    "|".join(["files" + r"\.pythonhosted", "pypi" + r"\.org/simple", "art" + "ifactory", "nex" + r"us\."])
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home/\w+|root/\.|work/(?:main|shared)|Users/\w+)")
WISHES = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _project_files() -> list[Path]:
    skipped = {"target", "__pycache__"}
    generated = {"keys", "var", "build", "dist"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.relative_to(ROOT).parts[0] not in generated
        and not skipped & set(path.relative_to(ROOT).parts)
        and not any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts[:-1])
        and path.suffix in {".py", ".md", ".toml", ".txt", ".in", ".java", ".xml", ".cfg", ".sh", ""}
    ]


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_of_readable_size_and_says_what_it_is(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= CEILING
    assert ast.get_docstring(ast.parse(text)), "a module needs a docstring"


def test_nothing_is_called_utils():
    assert not [path for path in MODULES if re.search(r"util|helper|misc|common", path.stem)]


def test_identifiers_of_the_standards_stand_in_words_only():
    found = []
    for path in MODULES:
        if _name(path).startswith("words/") or _name(path) in HTTP_LITERALS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            f"{_name(path)}:{node.lineno} {node.value[:60]}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.match(r"https?://[a-z]", node.value)
            and id(node) not in docstrings
        ]
    assert not found


def test_one_module_reads_the_environment_of_the_process():
    readers = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        reads = any(
            isinstance(node, ast.Attribute)
            and node.attr in {"environ", "environb", "getenv"}
            and isinstance(node.value, ast.Name)
            and node.value.id == "os"
            for node in ast.walk(tree)
        )
        imports = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and node.names[0].name in {"environ", "getenv"}
            for node in ast.walk(tree)
        )
        if reads or imports:
            readers.append(_name(path))
    assert readers == ["config/environment.py"]


def test_no_wish_is_left_as_a_comment():
    found = []
    for path in [*MODULES, *(ROOT / "services").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
        found += [
            f"{path.relative_to(ROOT)}:{token.start[0]}"
            for token in tokens
            if token.type == tokenize.COMMENT and WISHES.search(token.string)
        ]
    assert not found


def test_no_file_names_this_machine_or_a_mirror():
    found = []
    for path in _project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}: {match[0]}"
            for pattern in (FOREIGN_HOSTS, MACHINE_PATHS)
            if path != Path(__file__) and (match := pattern.search(text))
        ]
    assert not found
