"""No document names a command or an option that is not there: each ``wsprovider`` line in a frame is parsed."""

import argparse
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from wsprovider.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
_FRAME = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_CALL = re.compile(
    r"(?:^ *|^ *\$ |[|;&] *)(?:[A-Z_]+=\S* )*(?:\S*python3? -m |\S*/bin/)?wsprovider +([a-z].*)"
)
_END = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<"})
_LANGUAGES = frozenset({"", "sh", "bash", "console", "shell"})


class Line(NamedTuple):
    """A command as a document has it."""

    page: str
    text: str


def commands(page: str, text: str) -> list[Line]:
    """The lines in frames that call the program; in a frame with answers, those behind a prompt."""
    found = []
    for _, language, frame in _FRAME.findall(text):
        if language in _LANGUAGES:
            for line in frame.replace("\\\n", " ").splitlines():
                called = _CALL.search(line.partition(" #")[0])
                if called is not None and (language != "console" or line.lstrip().startswith("$ ")):
                    found.append(Line(page, called[1]))
    return found


def arguments(text: str) -> list[str]:
    """The words up to the end of the command, as a shell would hand them over."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word in _END:
            break
        words.append(word)
    return words


def known(words: list[str]) -> set[str]:
    """The options of the subcommand that the words name; exits where there is no such subcommand."""
    level, rest = parser(), list(words)
    while (below := [a for a in level._actions if isinstance(a, argparse._SubParsersAction)]) and rest:
        level = below[0].choices.get(rest.pop(0)) or level.error("no such command")
    return {option for action in level._actions for option in action.option_strings}


def accepted(text: str) -> bool:
    """Whether the program takes these words; of a synopsis, whether it has the command and the options."""
    words = arguments(re.sub(r"\.\.\.|…", " ", text).replace("|", " ") if "[" in text else text)
    try:
        if "[" in text or "..." in text:
            named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
            return named <= known([word for word in words if word != "..."])
        parser().parse_args(words)
    except SystemExit as error:
        return error.code == 0
    return True


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINES = [line for page in PAGES for line in commands(str(page.relative_to(ROOT)), page.read_text())]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.page}: {line.text[:60]}")
def test_each_command_line_of_the_documents_is_one(line, capsys):
    assert accepted(line.text), f"{line.page}: wsprovider {line.text}\n{capsys.readouterr().err}"


def test_there_are_some_and_mistakes_are_found(capsys):
    assert len(LINES) > 40
    assert {line.page for line in LINES} > {"README.md", "docs/deploy.md", "docs/explain.md"}
    frame = "```\n$ wsprovider keys new 2027 --purpose seal && echo 1   # a key\nx | wsprovider check\n```\n"
    (new, check) = commands("page", frame)
    assert accepted(new.text)
    assert accepted(check.text)
    for wrong in ("keys new 2027 --porpoise seal", "kyes list", "keys nwe 2027", "explain M [--nothing X]"):
        assert not accepted(wrong), wrong
    for right in ("keys new 2027 --purpose seal", "keys list", "explain M [--html FILE]", "check > file"):
        assert accepted(right), right
