"""``keys/partners.toml``: what it may say, and every mistake in it with its place and what to do."""

from dataclasses import dataclass

import pytest

from tests.simulator.world import issued
from wsprovider.adapters.keys.partners import ServicePlaces, Surroundings, read_partners
from wsprovider.adapters.keys.reading import Reader
from wsprovider.exchange.partners import Access, Deviation
from wsprovider.keyring.path import Authorities
from wsprovider.keyring.subjects import SubjectRule
from wsprovider.keyring.trust import AuthorityGroup, Partner, PinnedGroup
from wsprovider.words.errors import ConfigurationError
from wsprovider.words.suites import SUITES

CLIENTS = PinnedGroup("clients", (Partner("acme", (issued("client").certificate,)), Partner("beta", ())))
ANCHORS = Authorities((issued("client").certificate,), (), 4)
NAMED = AuthorityGroup("named", ANCHORS, (SubjectRule.of_name("CN=a", "head-office"),))
ANY = AuthorityGroup("any", ANCHORS, (SubjectRule.of_name("CN=a"),))
USERS = {"acme-batch", "alice"}
SERVICES = {
    "orders": ServicePlaces({"orders": False}, frozenset({"place_order", "status"})),
    "echo": ServicePlaces({"echo/integrity": False, "echo/own": True}, frozenset({"echo"})),
}
AROUND = Surroundings(SERVICES, lambda: (CLIENTS, NAMED, ANY), USERS.__contains__)
ONE = 'certificates = ["clients/acme"]\n'


def read(tmp_path, text, around=AROUND):
    keys = tmp_path / "keys"
    keys.mkdir(exist_ok=True)
    (keys / "partners.toml").write_text(text)
    return read_partners(Reader(keys, {}), around)


def problems(tmp_path, text, around=AROUND):
    try:
        read(tmp_path, text, around)
    except ConfigurationError as error:
        return error.problems
    return ()


def test_everything_at_once(tmp_path):
    reading = read(
        tmp_path,
        """
[acme]
certificates = ["clients/acme", "named/head-office", "any/CN=a/b,O=Bank"]
users = ["acme-batch"]
tickets = ["acme@EXAMPLE.ORG"]
roles = ["partner", "orders"]
services = ["orders", "echo/integrity"]
operations = ["orders:place_order", "echo:*"]
suite = "Basic256Rsa15"
allow_weak_suite = true
rsa_sha1 = true
short_symmetric_keys = true

["beta & sons"]
users = ["alice"]
""",
    )
    assert reading.present
    acme, beta = reading.partners.all
    assert acme.identities == (
        "certificate clients/acme",
        "certificate named/head-office",
        "certificate any/CN=a/b,O=Bank",
        "user acme-batch",
        "ticket acme@EXAMPLE.ORG",
    )
    assert acme.roles == {"partner", "orders"}
    deviation = Deviation(SUITES["Basic256Rsa15"], rsa_sha1=True, short_symmetric_keys=True)
    assert acme.access == {
        "orders": Access(frozenset({"place_order"}), deviation),
        "echo/integrity": Access(None, deviation),
    }
    assert (beta.name, beta.identities) == ("beta & sons", ("user alice",))
    assert beta.access == {name: Access() for name in ("orders", "echo/integrity", "echo/own")}
    assert reading.partners.of(("certificate clients/acme",)) is acme
    assert reading.partners.of(("certificate others/acme",)) is None


@pytest.mark.parametrize(
    ("lines", "access"),
    [
        ("services = []", {}),
        ("services = []\noperations = []", {}),
        ('operations = ["orders:status"]', {"orders": Access(frozenset({"status"}))}),
        ('services = ["echo"]', {"echo/integrity": Access(), "echo/own": Access()}),
        ('operations = ["orders:*", "orders:status"]', {"orders": Access()}),
        ('operations = ["orders:status", "orders:*"]', {"orders": Access()}),
        ("operations = []", {}),
    ],
)
def test_what_may_be_called(tmp_path, lines, access):
    (partner,) = read(tmp_path, f"[acme]\n{ONE}{lines}").partners.all
    assert partner.access == access


def test_without_a_file_there_are_no_partners(tmp_path):
    reader = Reader(tmp_path, {})
    reading = read_partners(reader, AROUND)
    assert (reading.present, reading.partners.all) == (False, ())
    assert not reader.changed()
    (tmp_path / "partners.toml").write_text("")
    assert reader.changed()
    assert read_partners(reader, AROUND).present


@dataclass(frozen=True)
class Row:
    """A mistake in one table, and its twin that is in order."""

    name: str
    wrong: str
    right: str
    where: str
    what: str


ROWS = [
    Row("unknown key", ONE + 'role = ["a"]', ONE + 'roles = ["a"]', ".role", "is not known here"),
    Row("nobody", 'roles = ["a"]', ONE + 'roles = ["a"]', ".certificates", "nobody can be this partner"),
    Row("no group", 'certificates = ["acme"]', ONE, ".certificates", '"group/name"'),
    Row("group", 'certificates = ["client/acme"]', ONE, ".certificates", "in use: any, clients, named"),
    Row("name", 'certificates = ["clients/amce"]', ONE, ".certificates", "knows nobody of that name"),
    Row("customer", 'certificates = ["clients/acme", "named/x"]', 'certificates = ["clients/acme", "any/x"]', ".certificates", "nobody of that name"),
    Row("twice", 'certificates = ["clients/acme", "clients/acme"]', ONE, ".certificates", "twice"),
    Row("user", ONE + 'users = ["acme"]', ONE + 'users = ["acme-batch"]', ".users", "in no user store"),
    Row("ticket", ONE + 'tickets = ["acme"]', ONE + 'tickets = ["acme@R"]', ".tickets", "with its realm"),
    Row("roles", ONE + 'roles = "a"', ONE + 'roles = ["a"]', ".roles", "list of texts"),
    Row("service", ONE + 'services = ["order"]', ONE + 'services = ["orders"]', ".services", "there are: orders, echo"),
    Row("endpoint", ONE + 'services = ["echo/x"]', ONE + 'services = ["echo/own"]', ".services", "no endpoint"),
    Row("operation", ONE + 'operations = ["orders:place"]', ONE + 'operations = ["orders:status"]', ".operations", "place_order, status"),
    Row("operation of nothing", ONE + 'operations = ["status"]', ONE + 'operations = ["orders:status"]', ".operations", '"service:operation"'),
    Row("operation of no service", ONE + 'operations = ["order:x"]', ONE + 'operations = ["orders:status"]', ".operations", "there is no service order"),
    Row("operation elsewhere", ONE + 'services = ["orders"]\noperations = ["orders:*", "echo:echo"]', ONE + 'services = ["orders", "echo"]\noperations = ["orders:*", "echo:echo"]', ".operations", "not among the services"),
    Row("no operation", ONE + 'services = ["orders", "echo"]\noperations = ["orders:*"]', ONE + 'services = ["orders", "echo"]\noperations = ["orders:*", "echo:*"]', ".operations", 'write "echo:*"'),
    Row("suite", ONE + 'suite = "Basic"', ONE + 'suite = "Basic256"', ".suite", "is no algorithm suite"),
    Row("weak", ONE + 'suite = "TripleDes"', ONE + 'suite = "TripleDes"\nallow_weak_suite = true', ".suite", "allow_weak_suite = true"),
    Row("not weak", ONE + 'suite = "Basic256"\nallow_weak_suite = true', ONE + 'suite = "Basic256"', ".allow_weak_suite", "remove the line"),
    Row("flag", ONE + "rsa_sha1 = 1", ONE + "rsa_sha1 = true", ".rsa_sha1", "true or false"),
    Row("own document", ONE + 'services = ["echo/own"]\nsuite = "Basic256"', ONE + 'services = ["echo/own"]\nrsa_sha1 = true', ".suite", "policy document of one's own names its suite"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_mistake_is_reported_and_its_twin_accepted(row, tmp_path):
    (problem,) = problems(tmp_path, f"[one]\n{row.wrong}")
    assert problem.where == f"keys/partners.toml: [one]{row.where}"
    assert row.what in problem.what
    assert problems(tmp_path, f"[one]\n{row.right}") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("acme = 1", "must be a table"),
        ("[acme", "not valid TOML"),
        ('[""]\n' + ONE, "characters"),
        (f'[one]\n{ONE}[two]\nusers = ["alice"]\n{ONE}', '"clients/acme" is one already'),
        ('[alice]\nusers = ["acme-batch"]\n', "one name would be two callers"),
        (f"[beta]\n{ONE}", 'do not name "clients/beta"'),
        ('[acme]\nusers = ["acme-batch"]\n', 'do not name "clients/acme"'),
    ],
)  # fmt: skip
def test_mistakes_beyond_one_line(text, what, tmp_path):
    assert any(what in str(problem) for problem in problems(tmp_path, text))
    assert problems(tmp_path, f'[one]\n{ONE}[two]\nusers = ["alice"]\n') == ()


def test_all_mistakes_at_once(tmp_path):
    text = '[a]\nusers = ["x"]\nsuite = "y"\n[b]\nservices = ["z"]\n'
    assert len(problems(tmp_path, text)) == 4


def test_who_cannot_say_does_not(tmp_path):
    """A user store that does not answer keeps nobody from starting; nor does a service whose code is not at hand."""
    silent = Surroundings({"orders": ServicePlaces({"orders": False}, None)}, lambda: None, lambda _: None)
    text = '[one]\ncertificates = ["c/a"]\nusers = ["u"]\noperations = ["orders:x"]\n'
    assert problems(tmp_path, text, silent) == ()
    assert len(problems(tmp_path, text)) == 3


def test_a_suite_beside_a_document_is_told(tmp_path):
    reading = read(tmp_path, f'[acme]\n{ONE}suite = "Basic256"\nrsa_sha1 = true\n')
    (warning,) = reading.warnings
    assert "no effect at echo/own" in warning
    (partner,) = reading.partners.all
    assert partner.access["echo/own"].deviation == Deviation(None, rsa_sha1=True)
    assert partner.access["orders"].deviation == Deviation(SUITES["Basic256"], rsa_sha1=True)


@pytest.mark.parametrize(
    ("deviation", "label"),
    [
        (Deviation(SUITES["Basic256"]), "Basic256"),
        (Deviation(rsa_sha1=True), "rsa_sha1"),
        (Deviation(SUITES["Basic256"], rsa_sha1=True, short_symmetric_keys=True), "Basic256+rsa_sha1+short_symmetric_keys"),
    ],
)  # fmt: skip
def test_a_deviation_has_a_name_of_its_own(deviation, label):
    assert deviation.label == label
