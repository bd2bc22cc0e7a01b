"""The audit log of a keys folder: whatever is changed, cut, inserted or done without it shows."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wsprovider.adapters.keys import audit
from wsprovider.adapters.keys.audit import FileChange, digest_of

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A ring and a partner, and three changes of the ring's file."""
    for name, content in (("service/ring.toml", "0"), ("trust/clients/acme.pem", "certificate")):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(content)
    for number in (1, 2, 3):
        change(tmp_path, str(number))
    return tmp_path


def change(folder: Path, content: str, *, carried_out: bool = True, **more: str) -> audit.AuditEntry:
    path = folder / "service" / "ring.toml"
    change = FileChange(digest_of(path.read_bytes()), digest_of(content.encode()))
    entry = audit.append(
        folder,
        at=AT,
        who="somebody@somewhere",
        what=[f"made it {content}"],
        about=["service"],
        files={"service/ring.toml": change},
        done=carried_out,
    )
    if carried_out:
        path.write_text(content)
    return entry


def lines(folder: Path) -> list[bytes]:
    return (folder / audit.NAME).read_bytes().splitlines(keepends=True)


def write(folder: Path, *content: bytes) -> None:
    (folder / audit.NAME).write_bytes(b"".join(content))


def test_what_is_in_order(keys):
    found = audit.verify(keys)
    assert (found.findings, found.notes) == ([], [])
    first, *others = found.entries
    assert set(first.files) == {"service/ring.toml", "trust/clients/acme.pem"}, "it begins with what is there"
    assert [one.what for one in others] == [(f"made it {number}",) for number in (1, 2, 3)]
    assert (keys / audit.NAME).stat().st_mode & 0o777 == 0o600
    assert audit.verify(keys, head=others[1].head).findings == []


@pytest.mark.parametrize("line", range(4))
@pytest.mark.parametrize(
    "field", ["number", "at", "who", "what", "about", "files", "torn", "previous", "digest"]
)
def test_a_changed_field(keys, line, field):
    content = lines(keys)
    entry = json.loads(content[line])
    bent = {"number": 9, "what": ["nothing"], "about": ["other"], "files": {}}.get(field, "1" * 64)
    content[line] = json.dumps({**entry, field: bent}).encode() + b"\n"
    write(keys, *content)
    assert audit.verify(keys).findings


@pytest.mark.parametrize("line", range(4))
def test_a_changed_entry_with_a_digest_that_fits(keys, line):
    """Whoever recomputes one digest must recompute the rest; the kept head shows even that."""
    kept = audit.verify(keys).head
    content = lines(keys)
    entry = json.loads(content[line])
    entry["who"] = "somebody else"
    content[line] = json.dumps(_rehashed(entry)).encode() + b"\n"
    write(keys, *content)
    findings = audit.verify(keys, head=kept).findings
    assert findings
    assert bool(audit.verify(keys).findings) is (line < 3)


def _rehashed(fields: dict) -> dict:
    told = {name: value for name, value in fields.items() if name != "digest"}
    return {**told, "digest": digest_of(json.dumps(told, sort_keys=True, separators=(",", ":")).encode())}


@pytest.mark.parametrize("line", range(3))
def test_a_missing_entry(keys, line):
    content = lines(keys)
    del content[line]
    write(keys, *content)
    assert audit.verify(keys).findings


def test_a_doubled_and_an_exchanged_entry(keys):
    one, two, three, four = lines(keys)
    for content in ((one, two, two, three, four), (one, three, two, four), (one, two, three, four, two)):
        write(keys, *content)
        assert audit.verify(keys).findings


def test_an_end_that_was_cut_shows_by_its_files_and_by_the_kept_head(keys):
    kept = audit.verify(keys).head
    *left, _ = lines(keys)
    write(keys, *left)
    assert "service/ring.toml was changed" in audit.verify(keys).findings[0]
    (keys / "service" / "ring.toml").write_text("2")  # the change taken back as well
    assert audit.verify(keys).findings == []
    assert "was cut" in audit.verify(keys, head=kept).findings[0]


@pytest.mark.parametrize("name", ["service/ring.toml", "trust/clients/acme.pem"])
@pytest.mark.parametrize("content", [None, b"by hand"])
def test_a_file_changed_without_an_entry(keys, name, content):
    if content is None:
        (keys / name).unlink()
        if name.endswith("ring.toml"):
            assert name in str(audit.verify(keys).findings)
            return
    else:
        (keys / name).write_bytes(content)
    assert name in audit.verify(keys).findings[0]


def test_a_file_added_without_an_entry(keys):
    (keys / "trust" / "clients" / "mallory.pem").write_text("certificate")
    assert "mallory.pem was added" in audit.verify(keys).findings[0]


def test_a_change_that_was_cut_before_its_file(keys):
    change(keys, "4", carried_out=False)
    found = audit.verify(keys)
    assert found.findings == []
    assert "announced and not carried out" in found.notes[0]
    change(keys, "5")  # done anew
    found = audit.verify(keys)
    assert (found.findings, found.notes) == ([], [])
    assert ("entry 5 was cut",) in [entry.what for entry in found.entries]


def test_a_change_that_was_cut_is_no_excuse_for_another(keys):
    """What becomes of it is taken down by the next entry; from then on the files are held to that."""
    before = (keys / "service" / "ring.toml").read_bytes()
    change(keys, "4", carried_out=False)
    (keys / "service" / "ring.toml").write_text("4")
    change(keys, "5")
    (keys / "service" / "ring.toml").write_bytes(before)
    assert "service/ring.toml was changed" in audit.verify(keys).findings[0]


def test_what_was_carried_out_is_closed_and_cannot_be_undone(keys):
    path = keys / "service" / "ring.toml"
    before = path.read_bytes()
    entry = change(keys, "4", carried_out=False)
    path.write_text("4")
    closing = audit.close(keys, entry, AT)
    assert audit.verify(keys, head=closing.head).findings == []
    path.write_bytes(before)
    assert "service/ring.toml was changed" in audit.verify(keys).findings[0]


@pytest.mark.parametrize("cut", [2, 20, 200])
def test_a_line_that_was_cut(keys, cut):
    *whole, last = lines(keys)
    (keys / "service" / "ring.toml").write_text("2")
    write(keys, *whole, last[:-cut])
    assert "not finished" in audit.verify(keys).notes[0]
    change(keys, "3")
    found = audit.verify(keys)
    assert found.findings == []
    assert [entry.number for entry in found.entries] == [1, 2, 3, 4]
    content = lines(keys)
    del content[3]  # the cut line itself belongs to the chain, too
    write(keys, *content)
    assert audit.verify(keys).findings


def test_an_entry_whose_line_end_was_cut_counts(keys):
    content = (keys / audit.NAME).read_bytes()
    write(keys, content[:-1])
    assert audit.verify(keys).findings == []
    change(keys, "4")
    found = audit.verify(keys)
    assert found.findings == []
    assert len(found.entries) == 5


def test_nothing_is_added_to_a_log_that_is_no_log(keys):
    write(keys, b"garbage\n")
    with pytest.raises(ValueError, match="last line is no entry"):
        change(keys, "4")


def test_no_log_is_no_breach(tmp_path):
    found = audit.verify(tmp_path)
    assert found.findings == []
    assert "no audit log yet" in found.notes[0]
