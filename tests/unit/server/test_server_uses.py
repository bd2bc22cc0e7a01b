"""Which certificates are noted over real exchanges; what is refused, and what answers it, is not."""

import pytest

from tests.simulator.bend import SIGNATURE, bend, flip
from tests.simulator.world import World, echo_body, issued, policy
from tests.unit.server.plain import SOAP12_TYPE, call, echo_provider
from wsprovider.keyring.uses import Case, Use
from wsprovider.outbound.message import Credentials
from wsprovider.policy.model import SupportingTokens
from wsprovider.scenarios import blocks
from wsprovider.soap.version import SOAP_12

SERVICE, CLIENT = issued("service").certificate, issued("client").certificate
ENDORSING = policy(
    "1", alternative={"supporting": (SupportingTokens((blocks.X509_IN_REQUEST,), endorsing=True),)}
)


def verify(partner):
    return Use(Case.VERIFY, partner, CLIENT)


def decrypt(partner):
    return Use(Case.DECRYPT, partner, SERVICE)


SIGN, ENCRYPT = Use(Case.SIGN, "client", SERVICE), Use(Case.ENCRYPT, "client", CLIENT)
EXPECTED = {
    "1": [(), ()],
    "2": [(verify("client"),), (SIGN,)],
    "3": [(decrypt(""),), ()],
    "4": [(decrypt(""),), ()],
    "5": [(verify("client"), decrypt("client")), (SIGN, ENCRYPT)],
    "6": [(decrypt(""),), ()],
    "7": [(decrypt("alice"),), ()],
    "8": [(decrypt("alice"),), ()],
    "16": [(), ()],
}
CONVERSATIONS = {"11": EXPECTED["5"], "12": EXPECTED["6"], "15": EXPECTED["8"]}


class Noted:
    def __init__(self, world):
        self.world, self.uses = world, []
        self.provider = echo_provider(world, note=self)

    def __call__(self, service, uses, now):
        assert (service, now) == ("echo", self.world.now)
        self.uses.append(tuple(uses))

    def post(self, message):
        headers = {
            "PATH_INFO": "/echo",
            "wsgi.url_scheme": "https" if self.world.transport.secure else "http",
        }
        if self.world.soap is SOAP_12:
            headers["CONTENT_TYPE"] = SOAP12_TYPE
        return call(self.provider, message, **headers)


@pytest.mark.parametrize("scenario", EXPECTED)
def test_a_call_and_its_reply(scenario):
    world = World(scenario)
    noted = Noted(world)
    pending = world.request()
    response = noted.post(pending.data)
    assert response.status == 200
    world.initiator.accept(pending, response.data, secure=world.transport.secure)
    assert noted.uses == EXPECTED[scenario]


@pytest.mark.parametrize("scenario", EXPECTED)
def test_its_refused_twins(scenario):
    world = World(scenario)
    noted = Noted(world)
    if scenario in {"1", "7", "8"}:
        other = world.make_initiator(credentials=Credentials("alice", "wrong"))
        twin = other.request(echo_body(world.soap, "hello"), version=world.soap).data
    elif scenario == "4":
        twin = bend(world.request().data, flip("//xenc:EncryptedData//xenc:CipherValue", octet=20))
    else:
        twin = bend(world.request().data, flip(f"{SIGNATURE}/ds:SignatureValue"))
    assert noted.post(twin).status == 500
    assert noted.uses == []
    good = world.request().data
    assert noted.post(good).status == 200
    assert len(noted.uses) == 2
    if scenario != "1":  # which remembers no message but the nonce of a digest
        assert noted.post(good).status == 500
        assert len(noted.uses) == 2


@pytest.mark.parametrize("scenario", CONVERSATIONS)
def test_a_conversation_shows_certificates_at_its_start_only(scenario):
    world = World(scenario)
    noted = Noted(world)
    asking = world.session.ask(version=world.soap)
    world.session.take(asking, noted.post(asking.data).data, secure=False)
    assert noted.uses == CONVERSATIONS[scenario]
    for said in ("one", "two"):
        pending = world.request(said)
        assert noted.post(pending.data).status == 200
    assert noted.uses[2:] == [()] * 4
    assert noted.post(pending.data).status == 500
    assert len(noted.uses) == 6
    ending = world.session.ask_end(version=world.soap)
    assert noted.post(ending.data).status == 200
    assert noted.uses[6:] == [(), ()]


def test_the_renewal_of_a_conversation_shows_them_again():
    world = World("11")
    noted = Noted(world)
    world.open()
    asking = world.session.ask_renewal(version=world.soap)
    world.session.take(asking, noted.post(asking.data).data, secure=False)
    assert noted.uses == CONVERSATIONS["11"]


def test_a_certificate_that_endorses():
    noted = Noted(World(ENDORSING))
    assert noted.post(noted.world.request().data).status == 200
    assert noted.uses == [(verify("client"),), ()]


def test_a_fault_of_the_service_is_protected_and_noted():
    world = World("5")
    noted = Noted(world)
    pending = world.request("fail")
    assert world.initiator.accept(pending, noted.post(pending.data).data, secure=False).fault
    assert noted.uses == EXPECTED["5"]


def test_soap_12():
    world = World("5", soap=SOAP_12)
    noted = Noted(world)
    assert noted.post(world.request().data).status == 200
    assert noted.uses == EXPECTED["5"]
