"""Requests for security contexts, written by hand: what a Session would never send.

::

    asked = ask(world, Stage.BOOTSTRAP, rst("Issue", "<wst:OnBehalfOf/>"))
    world.refused(asked.data)
"""

import base64
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lxml import etree

from tests.simulator.world import Party, World, policy
from wsprovider.exchange.initiator import Initiator, Pending
from wsprovider.exchange.recipient import Recipient
from wsprovider.exchange.ways import Stage, ways_of
from wsprovider.header import security_context_token
from wsprovider.header.times import format_time
from wsprovider.keyring.contexts import ContextKey
from wsprovider.outbound.message import Credentials
from wsprovider.policy.compile import compile_policy
from wsprovider.policy.model import DerivedKeys, Policy, SecureConversationToken, SymmetricBinding
from wsprovider.words import namespaces as ns
from wsprovider.words.trust import WST_200512, TrustVersion


def rst(
    kind: str | None, inner: str = "", *, version: TrustVersion = WST_200512, attributes: str = ""
) -> str:
    """A RequestSecurityToken; None: without a RequestType."""
    named = "" if kind is None else f"<wst:RequestType>{version.uri(kind)}</wst:RequestType>"
    return (
        f'<wst:RequestSecurityToken xmlns:wst="{version.namespace}" xmlns:wsu="{ns.WSU}" xmlns:wsse="{ns.WSSE}"'
        f' xmlns:wsa="{ns.WSA_200508}" xmlns:wsp="{ns.WSP_200409}" xmlns:wsc="{version.conversation}"'
        f"{attributes}>{named}{inner}</wst:RequestSecurityToken>"
    )


def entropy(octets: bytes, kind: str = "Nonce", *, version: TrustVersion = WST_200512) -> str:
    """wst:Entropy."""
    value = base64.b64encode(octets).decode()
    return (
        f'<wst:Entropy><wst:BinarySecret Type="{version.uri(kind)}">{value}</wst:BinarySecret></wst:Entropy>'
    )


def lifetime(world: World, span: timedelta) -> str:
    """wst:Lifetime from now on."""
    created, expires = format_time(world.now), format_time(world.now + span)
    return f"<wst:Lifetime><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wst:Lifetime>"


def target(kind: str, context: ContextKey, *, instance: str | None = "its own") -> str:
    """RenewTarget or CancelTarget with the token of a context."""
    named = context.instance if instance == "its own" else instance
    token = security_context_token.write("target", context.namespace, context.identifier, named)
    return f"<wst:{kind}Target>{token.decode()}</wst:{kind}Target>"


def side(
    world: World,
    stage: Stage,
    caller: Party | None = None,
    credentials: Credentials | None = None,
    by: Policy | None = None,
) -> Initiator:
    """Who speaks by one way of the world's policy, or of another one."""
    ways = ways_of(compile_policy(by or world.policy, "client"))
    caller = caller or world.client
    return Initiator(
        next(way.requirements for way in ways if way.stage is stage),
        "client",
        keys=lambda: caller.snapshot,
        clock=lambda: world.now,
        entropy=os.urandom,
        credentials=credentials or Credentials("alice", "secret"),
        partner="service",
    )


def ask(
    world: World,
    stage: Stage,
    content: str,
    *,
    context: ContextKey | None = None,
    caller: Party | None = None,
    credentials: Credentials | None = None,
    by: Policy | None = None,
    **message: Any,
) -> Pending:
    """Any content, protected as one of the ways wants it."""
    body = etree.fromstring(f'<soap:Body xmlns:soap="{world.soap.namespace}">{content}</soap:Body>')
    speaker = side(world, stage, caller, credentials, by)
    return speaker.request(body, version=world.soap, context=context, **message)


def deriving(scenario: str, keys: DerivedKeys, suite: str | None = None) -> Policy:
    """A conversation whose messages are protected by derived keys."""
    return with_token(scenario, suite, derived_keys=keys)


def with_token(scenario: str, suite: str | None = None, **properties: Any) -> Policy:
    """A conversation whose token has other properties, such as ``must_not_send_renew`` or ``bootstrap``."""
    binding = policy(scenario, suite).alternatives[0].binding
    assert isinstance(binding, SymmetricBinding)
    token = binding.signature_token
    assert isinstance(token, SecureConversationToken)
    changed = replace(token, **properties)
    return policy(scenario, suite, signature_token=changed, encryption_token=changed)


def another_worker(world: World) -> Recipient:
    """The same endpoint in another process: everything its own but the shared store."""
    kept = world.contexts
    world.contexts = world.make_contexts()
    try:
        return world.make_recipient(world.settings)
    finally:
        world.contexts = kept
