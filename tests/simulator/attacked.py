"""The self-test against a service in this process: a World's own recipient, behind the server's own reading of HTTP."""

import io
import os
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.world import ADDRESS, OPERATION, World, echo_body, reply_body
from wsprovider.attack.caller import Caller, Ourselves
from wsprovider.attack.line import Answer, Letter
from wsprovider.attack.runner import Report, Runner
from wsprovider.attack.variants import Variant
from wsprovider.outbound.message import Credentials
from wsprovider.policy.compile import compile_policy
from wsprovider.server import http
from wsprovider.soap.version import SOAP_11
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason


@dataclass
class Attacked:
    """A World, and whoever tests it as its operator would.

    Attributes:
        calls: calls that the service carried out.
        reasons: why each letter was refused, as the log has it; None for what was accepted.
    """

    world: World
    digest: bool = False
    calls: int = 0
    reasons: list[Reason | None] = field(default_factory=list)

    def caller(self) -> Caller:
        """Another caller."""
        world = self.world
        return Caller(
            Ourselves(
                compile_policy(world.policy, "attack")[0],
                ADDRESS,
                body=lambda: echo_body(SOAP_11, "hello"),
                action=OPERATION.action,
                keys=world.client.snapshot,
                clock=lambda: world.now,
                entropy=os.urandom,
                secure=world.transport.secure,
                credentials=Credentials("alice", "secret", digest=self.digest),
                tickets=world.holder,
                freshness=world.settings.freshness,
                limits=world.settings.limits,
            )
        )

    def run(self, variants: tuple[Variant, ...]) -> Report:
        """The whole self-test."""
        return Runner(self.caller(), self.post, slow=60).run(variants)

    def post(self, letter: Letter) -> Answer:
        """What the server's endpoint does, without Spyne."""
        limit = self.world.settings.limits.message_bytes
        try:
            answer = self._served(http.read_request(environ_of(letter), limit))
        except (WSSecurityError, SoapError) as error:
            self.reasons.append(error.reason)
            wire = self.world.recipient.refuse(error, version=http.promised_version(environ_of(letter)))
            return Answer(wire.status, wire.content_type, wire.data)
        self.reasons.append(None)
        return answer

    def _served(self, read: http.HttpRequest) -> Answer:
        world = self.world
        verified = world.recipient.accept(
            read.body,
            version=read.version,
            transport=world.transport,
            charset=read.charset,
            action=read.action,
        )
        answered = world.recipient.answer(verified)
        if answered is not None:
            return Answer(200, "text/xml", answered.wire.data)
        self.calls += 1
        return Answer(200, "text/xml", world.recipient.reply(verified, reply_body(SOAP_11, "hello")).data)


def environ_of(letter: Letter) -> dict[str, Any]:
    """PEP 3333, as gunicorn makes it: of two headers of one name, the last length and joined others."""
    environ: dict[str, Any] = {"REQUEST_METHOD": letter.method, "wsgi.input": io.BytesIO(letter.body)}
    for name, value in letter.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ
