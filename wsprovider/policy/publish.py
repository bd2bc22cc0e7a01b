"""What a WSDL says of a policy beyond what is enforced by it."""

import hashlib
from dataclasses import replace

from lxml import etree

from wsprovider.policy.model import Alternative, Policy, SecureConversationToken, SymmetricBinding
from wsprovider.policy.write import write_policy
from wsprovider.words.dialects import SP12


def published(policy: Policy) -> Policy:
    """The policy as a WSDL publishes it: with wsam:Addressing wherever there are conversations.

    WS-Trust's requests are told apart by their wsa:Action (WS-SecureConversation 1.3, sections 3 to 6), so
    that clients need WS-Addressing there, and Metro sends none unless the assertion says so (WS-Addressing
    Metadata, section 3.1.1). It stands beside the binding and counts for what the bootstrap policy covers,
    too: that one stays as it is.
    """
    return replace(
        policy,
        alternatives=tuple(
            replace(alternative, addressing=True) if in_conversation(alternative) else alternative
            for alternative in policy.alternatives
        ),
    )


def fingerprint_of(policy: Policy) -> str:
    """What tells a policy from another, the same in every process: a digest of it as a document."""
    document = write_policy(policy, SP12)
    octets = etree.tostring(document, method="c14n", exclusive=True, with_comments=False)
    return hashlib.sha256(octets).hexdigest()[:32]


def in_conversation(alternative: Alternative) -> bool:
    """Whether a security context protects the messages (WS-SecurityPolicy 1.2, section 5.4.7)."""
    binding = alternative.binding
    return isinstance(binding, SymmetricBinding) and any(
        isinstance(token, SecureConversationToken)
        for token in (binding.signature_token, binding.encryption_token)
    )
