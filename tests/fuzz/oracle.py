"""What must hold of every message, however it was changed; what does not is a finding.

Nothing is raised, logged as our own error, or answered outside of the known replies. What was refused left no trace.
What was accepted says what a genuine message says in every part that the policy protects, or what its sender signed
and encrypted himself, and it was accepted once.
"""

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.fuzz import wire
from tests.fuzz.demands import insiders_doubt, unmet
from tests.fuzz.facts import Facts, allowed_fault, sent_body
from tests.fuzz.mutators import Cook, Cooked
from tests.fuzz.recipe import Recipe
from tests.fuzz.samples import Desk, Letter, Sample
from tests.unit.server.plain import Response, call
from wsprovider.exchange.recipient import VerifiedRequest
from wsprovider.words.errors import SoapError, WSSecurityError
from wsprovider.words.reasons import Reason

SLOW = 1.0
"""Seconds of processor time that no delivery may take: some two hundred times what a genuine message takes."""


@dataclass(frozen=True)
class Finding:
    """Something that should not be.

    Attributes:
        kind: a few words that are the same for the same fault.
    """

    kind: str
    recipe: Recipe
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}\n    {self.recipe}\n    {self.detail}"


@dataclass
class Tried:
    """What came of one recipe.

    Attributes:
        outcomes: of each delivery, such as ``REPLAY``; coarse coverage of its own.
        seconds: of processor time, of the slowest delivery.
    """

    findings: list[Finding] = field(default_factory=list)
    outcomes: tuple[str, ...] = ()
    seconds: float = 0.0


class _Log(logging.Handler):
    """Keeps what the provider reports of itself, and keeps the rest from everybody else, while it listens."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._logger = logging.getLogger("wsprovider")
        self._before: Any = None

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def __enter__(self) -> None:
        logger = self._logger
        self._before = logger.handlers, logger.propagate, logger.level
        logger.handlers, logger.propagate = [self], False
        logger.setLevel(logging.INFO)
        self.lines.clear()

    def __exit__(self, *_: object) -> None:
        self._logger.handlers, self._logger.propagate, level = self._before
        self._logger.setLevel(level)


class Oracle:
    """Carries out recipes and judges what comes of them; one at a time."""

    def __init__(self) -> None:
        self.cook = Cook()
        self.reasons: Counter[str] = Counter()
        self._genuine: dict[str, Facts] = {}
        self._log = _Log()

    def genuine(self, sample: Sample, letter: Letter) -> Facts:
        """What a message says when it is not changed."""
        name = f"{sample.name}/{letter.name}"
        if name not in self._genuine:
            sample.reset()
            with self._log:
                response = self._send(sample, letter.data, Recipe(name))
            if response.status != 200 or len(sample.recipient.accepted) != 1:
                raise RuntimeError(f"the genuine message {name} is refused: {sample.recipient.errors}")
            (verified,) = sample.recipient.accepted
            self._genuine[name] = Facts.of(verified, Desk.seen)
        return self._genuine[name]

    def genuine_letters(self, sample: Sample) -> dict[str, Facts]:
        """What all genuine messages of a sample say."""
        return {name: self.genuine(sample, letter) for name, letter in sample.letters.items()}

    def try_(self, recipe: Recipe) -> Tried:
        """Deliver what a recipe makes, as it says, and judge."""
        sample, letter = self.cook.samples.letter(recipe.letter)
        genuine = self.genuine_letters(sample)
        cooked = self.cook.cook(recipe)
        sample.reset()
        trial = _Trial(recipe, sample, genuine, cooked)
        plain = Recipe(recipe.letter, delivery=recipe.delivery)
        deliveries = {
            "once": [(cooked, recipe)],
            "twice": [(cooked, recipe)] * 2,
            "after": [(Cooked(letter.data, signed=False), plain), (cooked, recipe)],
            "before": [(cooked, recipe), (Cooked(letter.data, signed=False), plain)],
        }[recipe.delivery]
        for message, framed in deliveries:
            self._deliver(trial, message, framed)
        trial.tried.outcomes = tuple(trial.outcomes)
        self.reasons.update(trial.outcomes)
        return trial.tried

    def _deliver(self, trial: "_Trial", message: Cooked, recipe: Recipe) -> None:
        sample = trial.sample
        sample.world.sleep(recipe.shift)
        state = sample.state()
        before = len(sample.recipient.accepted), len(sample.recipient.errors), len(Desk.seen)
        started = time.thread_time()
        try:
            with self._log:
                response = self._send(sample, message.data, recipe)
        except Exception as error:  # noqa: BLE001 - just what must not be
            trial.find(f"raised {type(error).__name__}", str(error))
            return
        seconds = time.thread_time() - started
        trial.tried.seconds = max(trial.tried.seconds, seconds)
        if seconds > SLOW:
            trial.find("slow", f"{seconds:.1f} s")
        for line in self._log.lines:
            trial.find(_short(line), line)
        accepted = sample.recipient.accepted[before[0] :]
        errors = sample.recipient.errors[before[1] :]
        trial.judge(message, recipe, accepted, errors, Desk.seen[before[2] :], response)
        if not accepted and _shared(state) != _shared(sample.state()):
            trial.find("a refusal left a trace", str(errors))

    def _send(self, sample: Sample, data: bytes, recipe: Recipe) -> Response:
        environ, body = wire.request(
            recipe.frame,
            recipe.frame_how,
            data,
            sample.world.soap.content_type,
            secure=sample.world.transport.secure,
        )
        return call(sample.provider, body, **environ)


def _shared(state: dict[str, Any]) -> object:
    """A state, without the empty shelves that a mere look makes."""
    kinds = {name: kind for name, kind in state["_kinds"].items() if kind.held or kind.kept}
    return {**state, "_kinds": kinds}


def _short(line: str) -> str:
    """What a line of the log has in common with others of the same cause."""
    told = json.loads(line)
    if told["event"] == "failure":
        where = told["at"][-1].rpartition("/")[2] if told["at"] else ""
        return f"failure {told['exception']} at {where}"
    return f"logged as an error: {told.get('reason')}"


@dataclass
class _Trial:
    """One recipe while it is tried."""

    recipe: Recipe
    sample: Sample
    genuine: dict[str, Facts]
    cooked: Cooked
    tried: Tried = field(default_factory=Tried)
    outcomes: list[str] = field(default_factory=list)
    signatures: list[tuple[bytes, ...]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def find(self, kind: str, detail: str) -> None:
        self.tried.findings.append(Finding(kind, self.recipe, detail[:2_000]))

    def judge(
        self,
        message: Cooked,
        recipe: Recipe,
        accepted: list[VerifiedRequest],
        errors: list[Exception],
        seen: list[tuple[str, str, str]],
        response: Response,
    ) -> None:
        """Compare what was done with what was sent."""
        if not accepted:
            self._refused(errors, seen, response)
            return
        self.outcomes.append("ANSWERED" if response.status == 200 else f"answered {response.status}")
        (verified,) = accepted
        facts = Facts.of(verified, seen)
        if len(seen) != (verified.errand is None and response.status == 200):
            self.find("called other than once", str(seen))
        self._once(verified, facts)
        if self.sample.transported:
            self._over_tls(message, recipe, verified, facts)
        else:
            self._protected(message, recipe, verified, facts)
        self._reply(verified, facts, response)

    def _refused(self, errors: list[Exception], seen: list[Any], response: Response) -> None:
        reason = getattr(errors[0], "reason", None) if errors else None
        self.outcomes.append(reason.name if reason is not None else f"HTTP {response.status}")
        if seen:
            self.find("called, and refused", str(seen))
        for error in errors:
            if not isinstance(error, WSSecurityError | SoapError):
                self.find(f"refused by {type(error).__name__}", str(error))
        wrong = allowed_fault(response, errors)
        if wrong:
            self.find(f"an unknown reply: {wrong}", f"{response.status} {response.data[:500]!r}")

    def _once(self, verified: VerifiedRequest, facts: Facts) -> None:
        """A signature, and in encrypting conversations a Body, is accepted once."""
        if facts.signatures and facts.signatures in self.signatures:
            self.find("accepted twice", "the same signatures")
        self.signatures.append(facts.signatures)
        if facts.nonce and (facts.nonce,) in self.signatures:
            self.find("accepted twice", "the same nonce")
        self.signatures.append((facts.nonce,))
        unsigned = verified.way.conversation is not None and not facts.body_signed and verified.errand is None
        if unsigned and facts.body in self.bodies:
            self.find("accepted twice", "the same Body")
        self.bodies.append(facts.body)

    def _protected(self, message: Cooked, recipe: Recipe, verified: VerifiedRequest, facts: Facts) -> None:
        """By signatures and encryption: as the policy demands, and by whom."""
        for lack in unmet(message.data, recipe, verified):
            self.find(f"a demand not met: {lack.partition(':')[0]}", lack)
        world = self.sample.world
        freshness = self.sample.recipient.settings.freshness
        if world.now > self.sample.start + freshness.life + freshness.skew and not message.signed:
            self.find("accepted too late", f"{world.now}")
        if not message.signed:
            self._unchanged(facts)
            return
        doubt = insiders_doubt(message.data, recipe, verified, facts, self.sample, self.callers)
        if doubt:
            self.find(f"not what was signed: {doubt.partition(':')[0]}", doubt)

    @property
    def callers(self) -> set[str]:
        """Whom the sender can name and prove: himself, and users whose passwords he knows."""
        return {one.principal for one in self.genuine.values()} | {"bob"}

    def _over_tls(self, message: Cooked, recipe: Recipe, verified: VerifiedRequest, facts: Facts) -> None:
        """Whoever knows the password may say what he likes, over TLS."""
        if recipe.frame in {"scheme", "proxy"}:
            self.find("a password over plain HTTP", str(recipe))
        if facts.principal not in self.callers:
            self.find("another caller", facts.principal)
        sent = sent_body(message.data, recipe, verified, ())
        if sent is not None and sent != facts.body:
            self.find("another Body than was sent", facts.body.decode(errors="replace"))

    def _unchanged(self, facts: Facts) -> None:
        """Some genuine message says just that, in everything that is protected."""
        like = [one for one in self.genuine.values() if one.signatures == facts.signatures]
        if not like:
            self.find("accepted without a genuine signature", str(facts))
            return
        for name in facts.differences(like[0], self.genuine.values()):
            self.find(f"an accepted change: {name}", f"{getattr(facts, name)!r} {getattr(like[0], name)!r}")

    def _reply(self, verified: VerifiedRequest, facts: Facts, response: Response) -> None:
        """The reply to an accepted message is protected as the policy says; its sender accepts it."""
        names = [name for name, one in self.genuine.items() if one.signatures == facts.signatures]
        if facts.signatures and names:
            letter, world = self.sample.letters[names[0]], self.sample.world
            try:
                letter.sender.accept(letter.pending, response.data, secure=world.transport.secure)
            except (WSSecurityError, SoapError) as error:
                # a ticket that was sent in another wrapping has another name in the reply
                if letter.pending.ticket is None or error.reason is not Reason.TICKET_UNKNOWN:
                    self.find("a reply that its client refuses", str(error))
            return
        if response.status != 200 or self.sample.transported:
            return
        # of a hostile partner: nobody waits for that reply
        wanted = verified.way.requirements.reply
        root = etree.fromstring(response.data)
        encrypted = root.xpath("//*[local-name()='Body']/*[local-name()='EncryptedData']")
        signed = root.xpath("//*[local-name()='SignatureValue']")
        if (wanted.encrypted.body and not encrypted) or (wanted.signed.body and not signed and not encrypted):
            self.find("an unprotected reply", response.data[:500].decode(errors="replace"))
