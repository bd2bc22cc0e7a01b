"""What will be done to a message, as data: made once from requirements, the same for every message.

The plan says which references name which key, what stands in the header, and in which order. Order
follows what Apache Rampart insists on: everything needed to decrypt stands before the Signature when
the policy signs before it encrypts, and behind it otherwise.
"""

from dataclasses import dataclass
from enum import Enum

from wsprovider.policy.model import Inclusion, KeyReference, X509Token
from wsprovider.policy.requirements import MessageRequirements, Protection, ProtectionToken


class Naming(Enum):
    """How a certificate is named in a message we write."""

    ENCLOSED = "BinarySecurityToken"
    THUMBPRINT = "thumbprint"
    KEY_IDENTIFIER = "subject key identifier"
    ISSUER_SERIAL = "issuer and serial"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one message of an exchange is protected.

    Attributes:
        requirements: what it was made from.
        signs, encrypts: whether there is a Signature, and anything encrypted, at all.
        signature_naming: of the certificate that signs (asymmetric).
        encryption_naming: of the certificate that a key is encrypted to.
        endorsing_naming: of the certificate whose key endorses the message signature.
        username_encrypted: the UsernameToken is encrypted, asked or not.
    """

    requirements: MessageRequirements
    signs: bool
    encrypts: bool
    symmetric: bool
    signature_naming: Naming
    encryption_naming: Naming
    endorsing_naming: Naming
    username_encrypted: bool


def plan(requirements: MessageRequirements) -> Plan:
    """Compute the plan for a message."""
    transport = requirements.protection is Protection.TRANSPORT
    symmetric = requirements.protection is Protection.SYMMETRIC
    usernames = requirements.usernames
    # a password in a message that can encrypt is encrypted even where the policy only signs it:
    # receivers tolerate it, and WCF and WebLogic insist on it
    username_encrypted = (
        bool(usernames) and not transport and (usernames[0].encrypted or requirements.has_encryption)
    )
    return Plan(
        requirements,
        signs=requirements.has_signature,
        encrypts=requirements.has_encryption or username_encrypted,
        symmetric=symmetric,
        signature_naming=_naming(requirements.signature_token, requirements),
        encryption_naming=_naming(requirements.encryption_token, requirements, enclosed=False),
        endorsing_naming=_naming(
            requirements.endorsing[0].token if requirements.endorsing else None, requirements
        ),
        username_encrypted=username_encrypted,
    )


def _naming(
    token: ProtectionToken | None, requirements: MessageRequirements, *, enclosed: bool = True
) -> Naming:
    """WS-SecurityPolicy 1.2, sections 5.1 and 5.4.3: inclusion first, then the required reference."""
    if not isinstance(token, X509Token):
        return Naming.THUMBPRINT
    if enclosed and _included(token.inclusion, request=requirements.request):
        return Naming.ENCLOSED
    order = (
        (KeyReference.ISSUER_SERIAL, Naming.ISSUER_SERIAL),
        (KeyReference.KEY_IDENTIFIER, Naming.KEY_IDENTIFIER),
        (KeyReference.THUMBPRINT, Naming.THUMBPRINT),
    )
    for reference, naming in order:
        if reference in token.references:
            return naming
    for reference, naming in (order[1], order[0], order[2]):
        if reference in requirements.references:
            return naming
    return Naming.ISSUER_SERIAL


def _included(inclusion: Inclusion, *, request: bool) -> bool:
    if inclusion is Inclusion.ALWAYS:
        return True
    if request:
        return inclusion in (Inclusion.ALWAYS_TO_RECIPIENT, Inclusion.ONCE)
    return inclusion is Inclusion.ALWAYS_TO_INITIATOR
