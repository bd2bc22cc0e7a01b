"""Writing a users file: whole, by one rename, readable by its owner only."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from wsprovider.adapters.shared.writing import write_whole
from wsprovider.adapters.users.reading import parse_users
from wsprovider.adapters.users.records import Entry
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

_HEAD: Final = """\
# Users of wsprovider. password is an argon2id hash; clear_password stands in clear, which password digests
# need. `wsprovider users` writes this file as a whole: comments of yours are not kept.
"""


def write_users_file(path: Path, entries: Iterable[Entry], *, overwrite: bool = True) -> bool:
    """Write a users file; readers see the old file or the new one.

    Args:
        path: the file; its folder exists.
        entries: what reading would refuse is refused here.
        overwrite: otherwise a file that is there already stays as it is.

    Returns:
        Whether the file was written.

    Raises:
        ConfigurationError: it cannot be written, or could not be read again.
    """
    content = (_HEAD + "".join(_table(entry) for entry in entries)).encode("utf-8", "surrogatepass")
    _, problems = parse_users(content, str(path), Limits())
    if problems:
        raise ConfigurationError(problems)
    try:
        return write_whole(path, content, overwrite=overwrite)
    except OSError as error:
        raise ConfigurationError([Problem(str(path), f"cannot be written: {error.strerror}")]) from None


def _table(entry: Entry) -> str:
    lines = ["", f"[users.{_quoted(entry.name)}]"]
    if entry.password is not None:
        lines.append(f"password = {_quoted(entry.password)}")
    if entry.clear_password is not None:
        lines.append(f"clear_password = {_quoted(entry.clear_password)}")
    if entry.roles:
        lines.append(f"roles = [{', '.join(_quoted(role) for role in sorted(entry.roles))}]")
    if entry.disabled:
        lines.append("disabled = true")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, and DEL, which only TOML forbids."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
