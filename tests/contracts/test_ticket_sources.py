"""What a client promises of tickets (``ports.TicketSource``), over a real KDC; our acceptor judges them."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.live.kdc import Kdc, require_kdc
from wsprovider.adapters.kerberos import KeytabAcceptor, Tickets, by_cache, by_keytab, by_password
from wsprovider.words.errors import BackendError

pytestmark = pytest.mark.live

HTTP = "HTTP/localhost"


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    require_kdc()
    with Kdc(tmp_path_factory.mktemp("kdc")) as running, pytest.MonkeyPatch.context() as here:
        for variable, value in running.environment.items():
            here.setenv(variable, value)
        running.add("alice", "alice's password")
        running.add("robot")
        running.add(HTTP)
        yield running


@pytest.fixture(scope="module")
def acceptor(kdc):
    return KeytabAcceptor(kdc.keytab(HTTP))


def cached(kdc, name="cache"):
    """A cache as ``kinit`` leaves it."""
    import gssapi.raw as gss

    where = f"FILE:{kdc.folder}/{name}"
    credentials = by_password(kdc.full("alice"), "alice's password")(gss)
    gss.store_cred_into({b"ccache": where.encode()}, credentials, usage="initiate", overwrite=True)
    return where


@pytest.fixture(params=["password", "keytab", "cache"])
def acquire(request, kdc):
    if request.param == "password":
        return by_password(kdc.full("alice"), "alice's password")
    if request.param == "keytab":
        return by_keytab(kdc.keytab("robot", file="robot.keytab"), kdc.full("robot"))
    return by_cache(cached(kdc))


def test_each_way_gives_tickets_that_hold(kdc, acceptor, acquire, now):
    source = Tickets(kdc.full(HTTP), acquire)
    one, two = source.ticket(now=now), source.ticket(now=now)
    assert one.token != two.token
    assert one.key != two.key
    for made in (one, two):
        found = acceptor.accept(made.token, now=now)
        assert found.principal in {"alice@TEST.LOCAL", "robot@TEST.LOCAL"}
        assert (found.key, found.expires) == (made.key, made.expires)


def test_the_service_by_host_and_without_a_realm(kdc, acceptor, acquire, now):
    for source in (Tickets("HTTP@localhost", acquire, hostbased=True), Tickets(HTTP, acquire)):
        assert acceptor.accept(source.ticket(now=now).token, now=now).expires > now


def test_the_process_own_cache(kdc, acceptor, now, monkeypatch):
    monkeypatch.setenv("KRB5CCNAME", cached(kdc, "own"))
    made = Tickets(kdc.full(HTTP), by_cache()).ticket(now=now)
    assert acceptor.accept(made.token, now=now).principal == "alice@TEST.LOCAL"
    with pytest.raises(BackendError):
        Tickets(kdc.full(HTTP), by_cache(principal=kdc.full("robot"))).ticket(now=now)


def test_what_cannot_be_had_is_a_backend_that_does_not_answer(kdc, now):
    good = by_password(kdc.full("alice"), "alice's password")
    for service, acquire in [
        (kdc.full("HTTP/nowhere"), good),
        (kdc.full(HTTP), by_password(kdc.full("alice"), "a wrong password")),
        (kdc.full(HTTP), by_password(kdc.full("nobody"), "x")),
        (kdc.full(HTTP), by_cache(f"FILE:{kdc.folder}/nothing")),
        (kdc.full(HTTP), by_keytab(kdc.folder / "nothing.keytab", kdc.full("robot"))),
        ("HTTP/localhost@ELSEWHERE", good),
    ]:
        with pytest.raises(BackendError, match="Kerberos: no ticket for") as caught:
            Tickets(service, acquire).ticket(now=now)
        assert "password" not in str(caught.value).replace("Password incorrect", "")


def test_the_kdc_is_asked_once_in_a_tickets_life(kdc, acceptor, now, tmp_path):
    with Kdc(tmp_path / "second", realm="SECOND.LOCAL") as second, pytest.MonkeyPatch.context() as here:
        for variable, value in second.environment.items():
            here.setenv(variable, value)
        second.add("alice", "pw")
        second.add(HTTP)
        source = Tickets(second.full(HTTP), by_password(second.full("alice"), "pw"))
        source.ticket(now=now)
        second.stop()
        made = source.ticket(now=now)
        assert KeytabAcceptor(second.keytab(HTTP)).accept(made.token, now=now).key == made.key
        with pytest.raises(BackendError):
            Tickets(second.full(HTTP), by_password(second.full("alice"), "pw")).ticket(now=now)


def test_a_ticket_that_is_about_to_end_is_replaced(kdc):
    service = kdc.add("HTTP/brief", life="62 seconds")
    acceptor = KeytabAcceptor(kdc.keytab(service, file="brief.keytab"))
    source = Tickets(service, by_password(kdc.full("alice"), "alice's password"))
    first = source.ticket(now=datetime.now(UTC))
    time.sleep(max((first.expires - timedelta(seconds=60) - datetime.now(UTC)).total_seconds(), 0) + 0.1)
    second = source.ticket(now=datetime.now(UTC))
    assert second.expires > first.expires
    assert acceptor.accept(second.token, now=datetime.now(UTC)).key == second.key


def test_a_ticket_that_is_about_to_end_is_better_than_none(kdc, now):
    source = Tickets(kdc.full(HTTP), by_password(kdc.full("alice"), "alice's password"))
    made = source.ticket(now=now)
    source._acquire = by_password(kdc.full("alice"), "a password of before")
    nearly = made.expires - timedelta(seconds=1)
    assert source.ticket(now=nearly).expires == made.expires
    assert source.ticket(now=nearly).expires == made.expires
    with pytest.raises(BackendError):
        source.ticket(now=made.expires)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_threads_and_a_fork(kdc, acceptor, acquire, now):
    source = Tickets(kdc.full(HTTP), acquire)
    tokens, wrong = [], []

    def work():
        try:
            tokens.extend(source.ticket(now=now) for _ in range(20))
        except BaseException as error:
            wrong.append(error)
            raise

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    assert len({made.token for made in tokens}) == 80
    assert all(acceptor.accept(made.token, now=now).key == made.key for made in tokens)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            made = source.ticket(now=now)
            status = int(acceptor.accept(made.token, now=now).key != made.key)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
