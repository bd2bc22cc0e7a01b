# ruff: noqa: N805 - Spyne hands its operations ctx
"""Genuine messages of many policies, each with the provider that accepts it: what all others are made from."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

from lxml import etree
from spyne import (
    AnyXml,
    Application,
    Array,
    ByteArray,
    ComplexModel,
    DateTime,
    Decimal,
    Integer,
    ServiceBase,
    Unicode,
    XmlAttribute,
    rpc,
)

from tests.fuzz.tickets import in_a_realm
from tests.simulator.errands import deriving
from tests.simulator.tickets import LATER
from tests.simulator.tickets import deriving as deriving_tickets
from tests.simulator.world import ADDRESS, ECHO, World, policy
from wsprovider.exchange.initiator import Initiator, Pending, addressing
from wsprovider.exchange.recipient import Recipient, VerifiedRequest
from wsprovider.exchange.ways import Stage
from wsprovider.policy.model import DerivedKeys, HeaderPart, Parts, Policy
from wsprovider.policy.requirements import Protection
from wsprovider.server import wsdl
from wsprovider.server.application import Provider
from wsprovider.server.endpoint import Endpoint
from wsprovider.server.invoker import Invoker
from wsprovider.server.protocols import SecureSoap11
from wsprovider.soap.version import SOAP_12
from wsprovider.words import namespaces as ns
from wsprovider.words.limits import Limits
from wsprovider.words.trust import WST_200502

LIMITS = Limits(message_bytes=200_000, decrypted_bytes=200_000, elements=5_000, depth=60)
ADDRESSED = HeaderPart(ns.WSA_200508)


def canonical(element: etree._Element) -> bytes:
    """Exclusive canonical form; as it stands what has none (over TLS nobody asks for it)."""
    try:
        return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)
    except etree.C14NError:
        return etree.tostring(element, with_tail=False)


class Line(ComplexModel):
    __namespace__ = ECHO
    code = XmlAttribute(Unicode)
    count = Integer
    price = Decimal


class Order(ComplexModel):
    __namespace__ = ECHO
    lines = Array(Line)
    due = DateTime
    seal = ByteArray
    notes = Unicode(max_occurs="unbounded")
    more = AnyXml


class Desk(ServiceBase):
    """A service that remembers what it was given."""

    seen: ClassVar[list[tuple[str, str, str]]] = []

    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        _see(ctx, text)
        return text

    @rpc(Order, _returns=Order)
    def order(ctx, order):
        _see(ctx, _told(order))
        return order


def _see(ctx: Any, given: object) -> None:
    Desk.seen.append((ctx.descriptor.operation_name, ctx.udc.name, repr(given)))


def _told(value: Any) -> object:
    """What a service was given, as values that are compared by what they are."""
    if isinstance(value, ComplexModel):
        return [(name, _told(getattr(value, name))) for name in type(value).get_flat_type_info(type(value))]
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    return canonical(value) if isinstance(value, etree._Element) else value


class Entropy:
    """Octets that are the same in each run, and as unlike each other as random ones."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(self.count.to_bytes(8)).digest(size)


class Watched:
    """A recipient that remembers what it accepted and why it refused.

    Trees are copied at once: what a service returns of them (AnyXml) is moved into its reply.
    """

    def __init__(self, inner: Recipient) -> None:
        self._inner = inner
        self.accepted: list[VerifiedRequest] = []
        self.errors: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def accept(self, message: bytes, **arguments: Any) -> VerifiedRequest:
        try:
            verified = self._inner.accept(message, **arguments)
        except Exception as error:
            self.errors.append(error)
            raise
        root = copy.deepcopy(verified.root)
        (body,) = root.iterchildren(verified.body.tag)
        self.accepted.append(replace(verified, root=root, body=body))
        return verified


@dataclass
class Letter:
    """A genuine message, not sent yet."""

    name: str
    data: bytes
    pending: Pending
    sender: Initiator

    @cached_property
    def secrets(self) -> list[bytes]:
        """Every secret that its sender knows."""
        found = list(self.pending.secrets.values())
        found += [held.secret for held in (self.pending.context, self.pending.ticket) if held is not None]
        return found


@dataclass
class Sample:
    """A provider under one policy, the messages of a client of it, and the state in which those are sent."""

    name: str
    world: World
    letters: dict[str, Letter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
        invoker = Invoker(Application([Desk], tns=ECHO, name="Desk", **protocols))
        world = self.world
        world.settings = replace(world.settings, operations=invoker.operations, limits=LIMITS)
        inner = world.make_recipient(world.settings)
        self.recipient = world.recipient = Watched(inner)
        document = wsdl.build(
            invoker.application,
            invoker.operations,
            path="/echo",
            bases=wsdl.BaseUrls(None, "http://localhost", "https://localhost"),
            attach=lambda _: None,
        )
        endpoint = Endpoint(
            "desk", "desk", "/echo", None, self.recipient, invoker, LIMITS.message_bytes, document
        )
        self.provider = Provider([endpoint], publish_metrics=True)
        self._write()
        self._kept = self.state()
        self._entropy = world.entropy.count

    def _write(self) -> None:
        """Every genuine message that can be sent from one and the same state."""
        world = self.world
        if not world.conversation:
            signed = world.policy.alternatives[0].signed_parts.headers
            for name, body in self._bodies().items():
                action = etree.QName(body[0]).localname
                self._add(name, world.request(body=body, blocks=_addressing(action) if signed else ()))
            return
        self._add("issue", world.session.ask(version=world.soap).pending, Stage.BOOTSTRAP)
        world.open()
        for name, body in self._bodies().items():
            self._add(name, world.request(body=body))
        self._add("renew", world.session.ask_renewal(version=world.soap).pending, Stage.ENDORSED)
        self._add("cancel", world.session.ask_end(version=world.soap).pending, Stage.MANAGEMENT)

    def _add(self, name: str, pending: Pending, stage: Stage = Stage.CONVERSATION) -> None:
        world = self.world
        sender = world.session._sides[stage][1] if world.conversation else world.initiator
        self.letters[name] = Letter(name, pending.data, pending, sender)

    def _bodies(self) -> dict[str, etree._Element]:
        texts = {"call": "pay alice 10 &amp; no more", "other": "pay bob 20"}
        bodies = {
            name: f"<e:echo xmlns:e='{ECHO}'><e:text>{text}</e:text></e:echo>" for name, text in texts.items()
        }
        bodies["order"] = (
            f"<e:order xmlns:e='{ECHO}'><e:order><e:lines><e:Line code='a'><e:count>1</e:count><e:price>2.50</e:price>"
            "</e:Line><e:Line code='b'><e:count>-7</e:count></e:Line></e:lines><e:due>2026-06-01T12:00:00Z</e:due>"
            "<e:seal>AQIDBA==</e:seal><e:notes>one</e:notes><e:notes/><e:more><e:x y='z'>t</e:x></e:more>"
            "</e:order></e:order>"
        )
        soap = self.world.soap.namespace
        return {
            name: etree.fromstring(f"<s:Body xmlns:s='{soap}'>{content}</s:Body>")
            for name, content in bodies.items()
        }

    def state(self) -> dict[str, Any]:
        """What workers share: marks of messages, contexts, bodies and tickets."""
        store = {name: value for name, value in vars(self.world.store).items() if name != "_lock"}
        return copy.deepcopy(store)

    def reset(self) -> None:
        """Go back to where every letter may be sent."""
        vars(self.world.store).update(copy.deepcopy(self._kept))
        self.world.now = self.start
        self.world.entropy.count = self._entropy
        self.recipient.accepted.clear()
        self.recipient.errors.clear()
        Desk.seen.clear()

    @cached_property
    def start(self) -> Any:
        """The moment at which the letters were written."""
        return next(iter(self.letters.values())).pending.sent

    @property
    def transported(self) -> bool:
        """TLS protects the messages, and not they themselves."""
        return all(way.requirements.request.protection is Protection.TRANSPORT for way in self.recipient.ways)


def _addressing(operation: str) -> list[Any]:
    return addressing(to=ADDRESS, action=f"{ECHO}/{operation}", message_id=f"urn:uuid:{operation}")


def _either(*scenarios: str) -> Policy:
    """One policy with the alternatives of several scenarios."""
    return Policy("either", tuple(policy(one).alternatives[0] for one in scenarios))


def _worlds() -> Mapping[str, Callable[[], World]]:
    """How each sample's world is made; the names are what the corpus calls them."""

    def plain(scenario: Any, **options: Any) -> Callable[[], World]:
        return lambda: World(scenario, entropy=Entropy(), guessing=False, **options)

    def kerberos(scenario: Any, **options: Any) -> Callable[[], World]:
        return lambda: in_a_realm(plain(scenario, **options)())

    alone = {"opinion": None, "client_opinion": None}
    both = Parts(body=True, headers=(ADDRESSED,))
    worlds = {
        name: plain(name, **({} if name in {"2", "6", "11"} else alone))
        for name in ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13e", "14", "15")
    }
    return worlds | {
        "1.digest": plain("1", digest=True, **alone),
        "2.ec": plain("2", client_key="ec-p256", **alone),
        "2.addressed": plain(policy("2", signed=both), **alone),
        "3.basic256": plain("3", suite="Basic256", soap=SOAP_12, **alone),
        "5.before": plain(policy("5", encrypt_before_signing=True), soap=SOAP_12, **alone),
        "5.gcm": plain("5", suite="Basic256GcmSha256"),
        "6.tripledes": plain("6", suite="TripleDes", **alone),
        "6.sealed": plain(policy("6", encrypt_signature=True), **alone),
        "8.basic128": plain("8", suite="Basic128", soap=SOAP_12, digest=True, **alone),
        "8.addressed": plain(policy("8", signed=both), **alone),
        "8.before": plain(policy("8", encrypt_before_signing=True), **alone),
        "11.derived": plain(deriving("11", DerivedKeys.REQUIRED), **alone),
        "15.2005": plain("15", trust=WST_200502, soap=SOAP_12, **alone),
        "16": kerberos("16"),
        "16.derived": kerberos(deriving_tickets(DerivedKeys.REQUIRED), kerberos=LATER, **alone),
        "8.or.2": plain(_either("8", "2"), **alone),
    }


WORLDS = _worlds()
LETTERS = tuple(
    f"{name}/{letter}"
    for name in WORLDS
    for letter in (
        ("issue", "call", "other", "order", "renew", "cancel")
        if name.split(".")[0] in {"9", "10", "11", "12", "13e", "14", "15"}
        else ("call", "other", "order")
    )
)
"""Every genuine message by name."""


class Samples:
    """All samples, each made when it is asked for the first time."""

    def __init__(self) -> None:
        self._made: dict[str, Sample] = {}

    def __getitem__(self, name: str) -> Sample:
        if name not in self._made:
            self._made[name] = Sample(name, WORLDS[name]())
        return self._made[name]

    def letter(self, name: str) -> tuple[Sample, Letter]:
        """The sample and the message of a name in :data:`LETTERS`."""
        sample, _, letter = name.partition("/")
        return self[sample], self[sample].letters[letter]
