"""Whether the keys of a ring are of the kinds that a policy needs: said at start, not by the first reply."""

from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from wsprovider.config.demands import all_alternatives
from wsprovider.config.model import EndpointConfig
from wsprovider.crypto.algorithms import fitting_signature
from wsprovider.keyring.lifecycle import ANSWERS, DECRYPTS
from wsprovider.keyring.ring import Purpose, RingSnapshot
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import Policy
from wsprovider.policy.publish import in_conversation
from wsprovider.policy.requirements import MessageRequirements, Protection
from wsprovider.words.errors import ConfigurationError


def unmet(config: EndpointConfig, snapshot: RingSnapshot, now: datetime) -> Iterator[str]:
    """What an endpoint could not do with changed keys of ours.

    That nobody is trusted any more is no reason to keep what was there: whose certificate was taken away must be out.
    """
    for what in unfit_keys(config.policy, snapshot, now):
        yield f"{what} (needed by {config.path})"


def unfit_keys(policy: Policy, snapshot: RingSnapshot, now: datetime) -> Iterator[str]:
    """What the policy, or a bootstrap policy in it, asks of our key pairs and they cannot do.

    The messages of a conversation ask nothing of them. A policy that cannot be compiled yields nothing;
    compiling it for service says why.
    """
    try:
        alternatives = [
            compiled
            for alternative in all_alternatives(policy)
            if not in_conversation(alternative)
            for compiled in compile_policy(Policy(policy.id, (alternative,)), "policy")
        ]
    except ConfigurationError:
        return
    if any(_receives_keys(one.request) for one in alternatives) and not _can_unwrap(snapshot, now):
        yield "must hold an RSA key that decrypts: messages bring their key encrypted to it"
    signing = [
        key.pair
        for key in snapshot.ring.keys
        # those to come as well: a day on which replies break must not be named without a word
        if Purpose.SIGN in key.purposes and key.lifespan.state(now) in ANSWERS
    ]
    for one in alternatives:
        if one.reply.protection is not Protection.ASYMMETRIC or not one.reply.has_signature:
            continue
        suite = one.reply.suite
        for pair in signing:
            if fitting_signature(pair.private_key, suite.asymmetric_signatures) is None:
                yield f'suite {suite.name} has no signature method for the kind of its key "{pair.name}"'


def _receives_keys(message: MessageRequirements) -> bool:
    return message.protection is Protection.SYMMETRIC or message.has_encryption


def _can_unwrap(snapshot: RingSnapshot, now: datetime) -> bool:
    return any(
        Purpose.DECRYPT in key.purposes
        and key.lifespan.state(now) in DECRYPTS
        and isinstance(key.pair.private_key, rsa.RSAPrivateKey)
        for key in snapshot.ring.keys
    )
