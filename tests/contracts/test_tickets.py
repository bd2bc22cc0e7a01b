"""What a service promises of tickets (``ports.TicketAcceptor``), over tickets of a real KDC and forged ones."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.live.forged_tickets import MUTUAL_REQUIRED, USAGE_AUTHENTICATOR, USAGE_TICKET, Forged, Library
from tests.live.kdc import AES128, AES128_SHA2, AES256, AES256_SHA2, RC4, Kdc, require_kdc
from wsprovider.adapters.kerberos import KeytabAcceptor, Tickets, by_password, password_acceptor
from wsprovider.adapters.kerberos.ap_req import read_ap_req
from wsprovider.adapters.kerberos.keytab import parse_keytab
from wsprovider.adapters.kerberos.passwords import password_key
from wsprovider.adapters.kerberos.principal import Principal
from wsprovider.words.errors import ConfigurationError, WSSecurityError
from wsprovider.words.reasons import Reason

pytestmark = pytest.mark.live

NUMBERS = {AES256: 18, AES128: 17, AES256_SHA2: 20, AES128_SHA2: 19, RC4: 23}
HTTP = "HTTP/localhost"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    require_kdc()
    with (
        Kdc(tmp_path_factory.mktemp("kdc"), more="forwardable = true") as running,
        pytest.MonkeyPatch.context() as here,
    ):
        for variable, value in running.environment.items():
            here.setenv(variable, value)
        running.add("alice", "alice's password")
        running.add(HTTP)
        yield running


@pytest.fixture(scope="module")
def acceptor(kdc):
    return KeytabAcceptor(kdc.keytab(HTTP))


@pytest.fixture(scope="module")
def library(kdc):
    return Library()


@pytest.fixture
def forged(kdc):
    (key,) = (key for key in parse_keytab(kdc.keytab(HTTP).read_bytes()) if key.enctype == 18)
    return Forged(HTTP, key.key, kvno=key.kvno)


def tickets(kdc, service=HTTP):
    return Tickets(kdc.full(service), by_password(kdc.full("alice"), "alice's password"))


def token(kdc, service=HTTP):
    return tickets(kdc, service).ticket(now=datetime.now(UTC)).token


def reason(acceptor, token, now=None):
    with pytest.raises(WSSecurityError) as caught:
        acceptor.accept(token, now=now or datetime.now(UTC))
    return caught.value.reason


def gss_token(kdc, *flags, enctypes=()):
    """A token as a client of other habits makes it."""
    import gssapi.raw as gss

    name = gss.import_name(kdc.full("alice").encode(), gss.NameType.user)
    credentials = gss.acquire_cred_with_password(
        name, b"alice's password", usage="initiate", mechs=[gss.MechType.kerberos]
    ).creds
    if enctypes:
        gss.krb5_set_allowable_enctypes(credentials, enctypes)
    service = gss.import_name(kdc.full(HTTP).encode(), gss.NameType.kerberos_principal)
    return gss.init_sec_context(service, credentials, mech=gss.MechType.kerberos, flags=flags).token


# tickets that hold


def test_both_sides_have_one_key_and_the_principal_is_the_clients(kdc, acceptor, now):
    made = tickets(kdc).ticket(now=now)
    found = acceptor.accept(made.token, now=now)
    assert found.principal == "alice@TEST.LOCAL"
    assert found.key == made.key
    assert found.expires == made.expires
    assert timedelta(hours=23) < found.expires - now <= timedelta(hours=24)
    assert made.key.hex() not in repr(made)
    assert found.key.hex() not in repr(found)


@pytest.mark.parametrize("enctype", [AES256, AES128, AES256_SHA2, AES128_SHA2])
def test_each_usual_enctype(kdc, now, enctype):
    service = kdc.add(f"HTTP/{NUMBERS[enctype]}", enctypes=(enctype,))
    acceptor = KeytabAcceptor(kdc.keytab(service, file=f"{NUMBERS[enctype]}.keytab"), enctypes=[enctype])
    import gssapi.raw as gss

    credentials = by_password(kdc.full("alice"), "alice's password")

    def only_this(raw):
        found = credentials(raw)
        gss.krb5_set_allowable_enctypes(found, [NUMBERS[enctype]])
        return found

    made = Tickets(service, only_this).ticket(now=now)
    found = acceptor.accept(made.token, now=now)
    assert found.enctype == NUMBERS[enctype]
    assert found.key == made.key
    assert len(found.key) == (16 if "128" in enctype.partition("-")[0] else 32)


def test_rc4_is_refused_unless_named(kdc, now):
    service = kdc.add("HTTP/old", enctypes=(RC4,))
    keytab = kdc.keytab(service, HTTP, file="old.keytab")
    made = tickets(kdc, service).ticket(now=now)
    usual, named = KeytabAcceptor(keytab), KeytabAcceptor(keytab, enctypes=["rc4-hmac", AES256])
    assert reason(usual, made.token) is Reason.TICKET_ENCTYPE
    assert named.accept(made.token, now=now).key == made.key
    with pytest.raises(ConfigurationError, match=r"HTTP/old@TEST.LOCAL for rc4-hmac only; allowed are aes"):
        KeytabAcceptor(keytab, principals=[service])


def test_rc4_for_a_service_that_has_better_keys_and_as_session_key(kdc, acceptor, library, now, forged):
    (old,) = (key for key in parse_keytab(kdc.keytab(HTTP).read_bytes()) if key.enctype == 23)
    ticket = forged.but(secret=old.key, enctype=23)
    assert reason(acceptor, ticket.token(library, now)) is Reason.TICKET_ENCTYPE
    inside = forged.but(session=(23, bytes(16)))
    assert reason(acceptor, inside.token(library, now)) is Reason.TICKET_ENCTYPE
    sub = forged.but(subkey=(23, bytes(16)))
    assert reason(acceptor, sub.token(library, now)) is Reason.TICKET_ENCTYPE
    named = KeytabAcceptor(kdc.keytab(HTTP), enctypes=["rc4-hmac", AES256])
    for allowed in (ticket, inside, sub):
        assert named.accept(allowed.token(library, now), now=now).principal == "alice@TEST.LOCAL"
    assert named.accept(inside.token(library, now), now=now).key == bytes(16)


def test_a_client_of_another_realm_and_names_that_need_escapes(acceptor, library, now, forged):
    for client, realm, expected in [
        ("alice", "PARTNER.LOCAL", "alice@PARTNER.LOCAL"),
        ("HTTP/robot.example.com", None, "HTTP/robot.example.com@TEST.LOCAL"),
        ("alice@PARTNER.LOCAL", None, "alice\\@PARTNER.LOCAL@TEST.LOCAL"),
        ("älice", None, "älice@TEST.LOCAL"),
    ]:
        ticket = forged.but(client=client, client_realm=realm).token(library, now)
        assert acceptor.accept(ticket, now=now).principal == expected


def test_the_sub_key_counts_and_else_the_session_key(kdc, acceptor, library, now, forged):
    without = acceptor.accept(forged.token(library, now), now=now)
    assert (without.enctype, without.key) == forged.session
    sub = (17, bytes(range(50, 66)))
    found = acceptor.accept(forged.but(subkey=sub).token(library, now), now=now)
    assert (found.enctype, found.key) == sub
    assert found.expires == (now + timedelta(hours=1)).replace(microsecond=0)


def test_a_raw_request_of_libkrb5_has_the_session_key(kdc, acceptor, library, now):
    import gssapi.raw as gss

    cache = f"FILE:{kdc.folder}/mk_req"
    credentials = by_password(kdc.full("alice"), "alice's password")(gss)
    gss.store_cred_into({b"ccache": cache.encode()}, credentials, usage="initiate", overwrite=True)
    raw = library.make_request("HTTP", "localhost", cache)
    assert raw[0] == 0x6E
    found = acceptor.accept(raw, now=now)
    assert found.principal == "alice@TEST.LOCAL"
    assert len(found.key) == 32
    # the sub-key would differ from one authenticator to the next
    assert acceptor.accept(library.make_request("HTTP", "localhost", cache), now=now).key == found.key


def test_raw_and_wrapped_are_the_same_ticket(kdc, acceptor, now):
    wrapped = token(kdc)
    raw = wrapped[wrapped.index(b"\x6e\x82") :]
    assert acceptor.accept(raw, now=now) == acceptor.accept(wrapped, now=now)


def test_the_same_token_is_accepted_twice_for_replay_is_decided_elsewhere(kdc, acceptor, now):
    one = token(kdc)
    assert acceptor.accept(one, now=now) == acceptor.accept(one, now=now)


def test_what_a_client_delegates_is_not_kept(kdc, acceptor, now):
    import gssapi.raw as gss

    wants = gss.RequirementFlag
    delegated = gss_token(kdc, wants.integrity, wants.delegate_to_peer)
    assert len(delegated) > len(gss_token(kdc, wants.integrity)) + 500  # a ticket for the KDC is in it
    assert acceptor.accept(delegated, now=now).principal == "alice@TEST.LOCAL"


# tickets that do not


def test_expired_future_and_skew(acceptor, library, now, forged):
    cases = {
        "expired": (forged.but(begins=-120 * MINUTE, ends=-60 * MINUTE), Reason.TICKET_EXPIRED),
        "just expired": (forged.but(begins=-120 * MINUTE, ends=-MINUTE), Reason.TICKET_EXPIRED),
        "future": (forged.but(begins=60 * MINUTE, ends=120 * MINUTE), Reason.TICKET_EXPIRED),
        "slow": (forged.but(begins=-120 * MINUTE, skew=-6 * MINUTE), Reason.TICKET_SKEW),
        "fast": (forged.but(skew=6 * MINUTE), Reason.TICKET_SKEW),
    }
    found = {case: reason(acceptor, ticket.token(library, now)) for case, (ticket, _) in cases.items()}
    assert found == {case: expected for case, (_, expected) in cases.items()}


def test_clocks_that_differ_a_little(acceptor, library, now, forged):
    for skew in (-4 * MINUTE, 4 * MINUTE):
        ticket = forged.but(begins=-10 * MINUTE, skew=skew)
        assert acceptor.accept(ticket.token(library, now), now=now).principal == "alice@TEST.LOCAL"
    early = forged.but(begins=4 * MINUTE)
    assert acceptor.accept(early.token(library, now), now=now).principal == "alice@TEST.LOCAL"


def test_our_own_clock_ends_a_ticket_at_its_end(acceptor, library, now, forged):
    ticket = forged.but(ends=timedelta(seconds=100)).token(library, now)
    end = acceptor.accept(ticket, now=now).expires
    assert acceptor.accept(ticket, now=end - timedelta(microseconds=1)).expires == end
    assert reason(acceptor, ticket, now=end) is Reason.TICKET_EXPIRED


def test_a_real_ticket_of_a_short_life_expires(kdc, acceptor):
    service = kdc.add("HTTP/short", life="2 seconds")
    short = KeytabAcceptor(kdc.keytab(service, file="short.keytab"))
    begin = datetime.now(UTC)
    made = tickets(kdc, service).ticket(now=begin)
    assert made.expires - begin <= timedelta(seconds=3)
    short.accept(made.token, now=datetime.now(UTC))
    time.sleep(max((made.expires - datetime.now(UTC)).total_seconds(), 0) + 0.01)
    assert reason(short, made.token) is Reason.TICKET_EXPIRED


def test_a_ticket_for_another_service(kdc, acceptor):
    kdc.add("HTTP/other")
    assert reason(acceptor, token(kdc, "HTTP/other")) is Reason.TICKET_SERVICE


def test_a_ticket_that_only_says_to_be_for_another_service(acceptor, library, now, forged):
    # libkrb5 by itself would open it, for the key fits
    for lie in ({"service": "HTTP/other"}, {"service": "HTTP"}, {"realm": "OTHER.LOCAL"}):
        assert reason(acceptor, forged.but(**lie).token(library, now)) is Reason.TICKET_SERVICE


def test_one_principal_of_several_in_the_keytab(kdc, now):
    one, two = kdc.add("HTTP/one"), kdc.add("HTTP/two")
    keytab = kdc.keytab(one, two, file="two.keytab")
    every, named = KeytabAcceptor(keytab), KeytabAcceptor(keytab, principals=[one])
    for acceptor in (every, named):
        assert acceptor.accept(token(kdc, one), now=now).principal == "alice@TEST.LOCAL"
    assert every.accept(token(kdc, two), now=now).principal == "alice@TEST.LOCAL"
    assert reason(named, token(kdc, two)) is Reason.TICKET_SERVICE


def test_the_same_service_of_another_realm(kdc, acceptor, library, now, forged, tmp_path):
    stranger = forged.but(secret=bytes(32))
    assert reason(acceptor, stranger.token(library, now)) is Reason.TICKET_INVALID
    assert reason(acceptor, stranger.but(kvno=7).token(library, now)) is Reason.TICKET_SERVICE


def test_a_ticket_that_the_kdc_marked_invalid_or_that_names_another_client(acceptor, library, now, forged):
    postdated_and_not_validated = forged.but(flags=0x01000000)
    assert reason(acceptor, postdated_and_not_validated.token(library, now)) is Reason.TICKET_INVALID
    borrowed = forged.but(authenticator_client="mallory")
    assert reason(acceptor, borrowed.token(library, now)) is Reason.TICKET_INVALID


def test_an_anonymous_ticket(acceptor, library, now, forged):
    nobody = forged.but(client="WELLKNOWN/ANONYMOUS")
    assert reason(acceptor, nobody.token(library, now)) is Reason.TICKET_INVALID


def test_mutual_authentication_is_refused_however_it_is_asked_for(kdc, acceptor, library, now, forged):
    import gssapi.raw as gss

    asked = gss.RequirementFlag.mutual_authentication
    assert reason(acceptor, gss_token(kdc, asked)) is Reason.TICKET_INVALID
    assert reason(acceptor, forged.but(options=MUTUAL_REQUIRED).token(library, now)) is Reason.TICKET_INVALID
    # in the checksum alone, where only libkrb5 sees it
    assert reason(acceptor, forged.but(checksum=2).token(library, now)) is Reason.TICKET_INVALID
    assert reason(acceptor, gss_token(kdc, gss.RequirementFlag.dce_style)) is Reason.TICKET_INVALID


def test_a_checksum_without_demands_is_fine(acceptor, library, now, forged):
    assert acceptor.accept(forged.but(checksum=0x20).token(library, now), now=now).key == forged.session[1]


def test_user_to_user_and_reserved_options(acceptor, library, now, forged):
    assert reason(acceptor, forged.but(options=0x40000000).token(library, now)) is Reason.TICKET_INVALID
    assert reason(acceptor, forged.but(options=1).token(library, now)) is Reason.KERBEROS_TOKEN


def test_each_octet_counts(kdc, acceptor, now):
    """Every octet, two ways: refused with a Reason, or one of the few that mean nothing and that nobody signs."""
    one = token(kdc)
    meant = acceptor.accept(one, now=now)
    harmless, refusals = set(), []
    for at in range(len(one)):
        for change in (0x01, 0x80):
            bent = bytearray(one)
            bent[at] ^= change
            try:
                found = acceptor.accept(bytes(bent), now=now)
            except WSSecurityError as error:
                refusals.append(error)
            else:
                assert found == meant
                harmless.add(at)
    about_tickets = {
        Reason.KERBEROS_TOKEN,
        Reason.TICKET_INVALID,
        Reason.TICKET_SERVICE,
        Reason.TICKET_ENCTYPE,
    }
    assert {error.reason for error in refusals} == about_tickets
    assert not any(meant.key.hex() in str(error) or "alice" in str(error) for error in refusals)
    kind_of_name = one.index(b"\xa2\x1c\x30\x1a\xa0\x03\x02\x01") + 8
    kvno = one.index(b"\xa1\x03\x02\x01", kind_of_name) + 4
    assert harmless <= {kind_of_name, kvno}


def test_each_length_and_what_follows(kdc, acceptor):
    one = token(kdc)
    for size in range(0, len(one), 7):
        assert reason(acceptor, one[:size]) is Reason.KERBEROS_TOKEN
    assert reason(acceptor, one + b"\0") is Reason.KERBEROS_TOKEN
    assert reason(acceptor, one + one) is Reason.KERBEROS_TOKEN


def test_an_authenticator_of_another_ticket(kdc, acceptor):
    one, two = token(kdc), token(kdc)
    request = read_ap_req(one)
    assert request.service.components == ("HTTP", "localhost")
    spliced = one[:-100] + two[-100:]
    assert reason(acceptor, spliced) is Reason.TICKET_INVALID


# keys that change


class Watched:
    def __init__(self, keytab, **more):
        self.seconds = 0.0
        self.swaps, self.failures = [], []
        self.acceptor = KeytabAcceptor(
            keytab,
            monotonic=lambda: self.seconds,
            on_swap=self.swaps.append,
            on_failure=self.failures.append,
            **more,
        )

    def later(self):
        self.seconds += 2


def test_a_new_key_version_beside_the_old_one(kdc, now):
    service = kdc.add("HTTP/rollover")
    watched = Watched(kdc.keytab(service, file="rollover.keytab"), principals=[service])
    old = token(kdc, service)
    kdc.change_key(service)
    new = token(kdc, service)
    assert (read_ap_req(old).kvno, read_ap_req(new).kvno) == (1, 2)
    assert reason(watched.acceptor, new) is Reason.TICKET_SERVICE
    kdc.keytab(service, file="rollover.keytab")
    for one in (new, old):  # at once, though the file is looked at once a second
        assert watched.acceptor.accept(one, now=now).principal == "alice@TEST.LOCAL"
    assert len(watched.swaps) == 1
    kdc.change_key(service, keep_old=False)
    kdc.keytab(service, file="rollover.keytab")
    watched.later()
    assert watched.acceptor.accept(token(kdc, service), now=now).principal == "alice@TEST.LOCAL"
    assert reason(watched.acceptor, old) is Reason.TICKET_SERVICE


def test_a_keytab_that_is_broken_or_gone_leaves_the_keys_in_force(kdc, now):
    keytab = kdc.keytab(HTTP, file="broken.keytab")
    good = keytab.read_bytes()
    watched = Watched(keytab)
    one = token(kdc)
    for harm in (
        lambda: keytab.write_bytes(good[:-3]),
        lambda: keytab.write_bytes(b"\x05\x02"),
        keytab.unlink,
    ):
        harm()
        watched.later()
        watched.acceptor.accept(one, now=now)
        watched.later()
        watched.acceptor.accept(one, now=now)
        assert watched.acceptor.failed
    assert len(watched.failures) == 3
    assert watched.swaps == []
    keytab.write_bytes(good)
    keytab.chmod(0o644)
    watched.later()
    watched.acceptor.accept(one, now=now)
    assert len(watched.swaps) == 1
    assert not watched.acceptor.failed
    assert "chmod 600" in watched.acceptor.warnings[0]


def test_threads_while_the_keytab_is_replaced(kdc, now):
    keytab = kdc.keytab(HTTP, file="threads.keytab")
    acceptor = KeytabAcceptor(keytab, interval=0.0)
    one, good, ended = token(kdc), keytab.read_bytes(), threading.Event()
    expected, wrong = acceptor.accept(one, now=now), []

    def work():
        while not ended.is_set():
            try:
                assert acceptor.accept(one, now=now) == expected
            except BaseException as error:
                wrong.append(error)
                raise

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for count in range(60):
        fresh = keytab.with_suffix(".fresh")
        fresh.write_bytes(good)
        fresh.chmod(0o600 if count % 2 else 0o640)
        fresh.replace(keytab)
        time.sleep(0.005)
    ended.set()
    for worker in workers:
        worker.join()
    assert wrong == []


def in_child(work):
    """Whether work held in a forked child, which must end by itself within 20 s."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forks_while_threads_accept(kdc, now):
    acceptor = KeytabAcceptor(kdc.keytab(HTTP, file="forks.keytab"), interval=0.0)
    made, ended = tickets(kdc).ticket(now=now), threading.Event()

    def work():
        while not ended.is_set():
            acceptor.accept(made.token, now=now)

    def child():
        for _ in range(20):
            assert acceptor.accept(made.token, now=now).key == made.key

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        assert all(in_child(child) for _ in range(20))
    finally:
        ended.set()
        for worker in workers:
            worker.join()
    assert acceptor.accept(made.token, now=now).key == made.key


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_worker_that_became_another_user_needs_no_right_to_the_keytab(kdc, now):
    keytab = kdc.keytab(HTTP, file="owned.keytab")
    acceptor = KeytabAcceptor(keytab, interval=0.0)
    made = tickets(kdc).ticket(now=now)

    def child():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        else:
            keytab.chmod(0)
        os.environ["KRB5_CONFIG"] = "/dev/null"  # the test's own folder is closed to that user
        assert acceptor.accept(made.token, now=now).key == made.key

    assert in_child(child)


# passwords


@pytest.mark.parametrize("kvno", [0, 1])
def test_a_service_by_name_and_password(kdc, now, kvno):
    service = kdc.add(f"esb/{kvno}", "the service's pässword")
    acceptor = password_acceptor(service, "the service's pässword", kvno=kvno)
    made = tickets(kdc, service).ticket(now=now)
    assert acceptor.accept(made.token, now=now).key == made.key
    assert reason(password_acceptor(service, "another", kvno=kvno), made.token) is Reason.TICKET_INVALID
    assert reason(password_acceptor(service, "another", kvno=2), made.token) is Reason.TICKET_SERVICE
    salted = password_acceptor(service, "the service's pässword", salt="TEST.LOCALsvc")
    assert reason(salted, made.token) is Reason.TICKET_INVALID


def test_keys_from_passwords_are_the_kdcs(kdc):
    service = Principal.parse(kdc.add("HTTP/derived", "pässword"))
    keys = parse_keytab(kdc.keytab(str(service), file="derived.keytab").read_bytes())
    assert {key.enctype for key in keys} == set(NUMBERS.values())
    for key in keys:
        assert password_key("pässword", service.usual_salt, key.enctype) == key.key


def test_garbage_that_is_well_encrypted(acceptor, library, now, forged, monkeypatch):
    plain = library.encrypt
    for usage in (USAGE_TICKET, USAGE_AUTHENTICATOR):
        for change in (
            lambda octets: b"",
            lambda octets: octets[:-1],
            lambda octets: bytes(99),
        ):

            def encrypt(enctype, key, use, plaintext, usage=usage, change=change):
                return plain(enctype, key, use, change(plaintext) if use == usage else plaintext)

            monkeypatch.setattr(library, "encrypt", encrypt)
            refused = reason(acceptor, forged.token(library, now))
            assert refused in {Reason.TICKET_INVALID, Reason.KERBEROS_TOKEN}
