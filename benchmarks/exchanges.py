"""One scenario in one process: messages of its client, its recipient, and the floor of the same messages."""

from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.floor import Floor
from benchmarks.payloads import Payload
from benchmarks.rounds import Job, Subject
from tests.simulator.world import World
from wsprovider.policy.model import Policy

SCENARIOS = tuple(str(number) for number in range(1, 16))
"""All but Kerberos; of 9 to 15 a call inside a conversation is measured."""


class Exchanges:
    """The simulator's client and service under one policy, with one payload."""

    def __init__(self, scenario: str | Policy, payload: Payload, *, suite: str | None = None) -> None:
        self.world = World(
            scenario, suite=suite, clear_password_over_http=True, opinion=None, client_opinion=None
        )
        self._payload = payload
        self.body = payload(self.world.soap, "echoResponse")
        request = self.make(1)[0]
        verified = self.world.accept(request)
        reply = self.world.recipient.reply(verified, self.body).data
        key = self.world.service.issued.pair("key").private_key
        client = self.world.client.certificate.public_key
        if not isinstance(key, rsa.RSAPrivateKey) or not isinstance(client, rsa.RSAPublicKey):
            raise TypeError("the floor knows RSA only")
        held = self.world.session.context if self.world.conversation else None
        self.floor = Floor(
            request, reply, service=key, client=client, secret=held.secret if held is not None else b""
        )

    def make(self, count: int) -> list[bytes]:
        """Fresh requests: a second copy of one would be refused."""
        body = self._payload(self.world.soap, "echo")
        return [self.world.request(body=body).data for _ in range(count)]

    def call(self, data: bytes) -> bytes:
        """Accept a request and protect the reply: what the server does, without Spyne and HTTP."""
        verified = self.world.accept(data)
        return self.world.recipient.reply(verified, self.body).data

    def subjects(self) -> dict[str, Subject]:
        """The floor and our engine, each over messages of its own."""
        return {"floor": self._floor, "engine": self._engine}

    def _floor(self, count: int) -> Job:
        messages = self.make(count)

        def job() -> None:
            for message in messages:
                self.floor.request(message)
                self.floor.reply(self.body)

        return job

    def _engine(self, count: int) -> Job:
        messages = self.make(count)

        def job() -> None:
            for message in messages:
                self.call(message)

        return job
