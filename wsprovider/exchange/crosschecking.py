"""What the second engine cannot follow, said at start rather than message by message.

libxmlsec knows neither the STR-Transform nor Ed25519 (:mod:`wsprovider.crypto.crosscheck`). A policy
that cannot be met without them and ``crosscheck`` exclude each other. A suite that merely lets Ed25519
in beside other methods does not: such a message is refused when it comes, with Reason CROSSCHECK.
"""

from wsprovider.crypto.crosscheck import UNSUPPORTED_SIGNATURES
from wsprovider.policy.requirements import MessageRequirements, Protection


def cannot_check(message: MessageRequirements) -> str | None:
    """Why messages under these requirements cannot be checked again; None when they can.

    The answer continues "crosscheck cannot follow ...".
    """
    if message.protect_tokens:
        return "the STR-Transform of ProtectTokens"
    if message.protection is Protection.ASYMMETRIC and message.has_signature:
        methods = message.suite.asymmetric_signatures
        if UNSUPPORTED_SIGNATURES.issuperset(methods):
            return f"the only signature methods of {message.suite.name}: {', '.join(methods)}"
    return None
