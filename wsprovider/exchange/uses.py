"""Which certificates a message was protected with; asked of accepted requests and sent replies only."""

from wsprovider.inbound.evidence import CertificateKey
from wsprovider.inbound.finding import Case as Message
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.uses import Case, Use


def uses_of_request(message: Message, caller: str) -> tuple[Use, ...]:
    """Who signed it, and which keys of ours it was encrypted to; each certificate once.

    A message of a conversation shows neither: its bootstrap did.

    Args:
        caller: the principal's name, empty for nobody in particular.
    """
    evidence, partner = message.evidence, partner_of(message, caller)
    verified = (
        Use(Case.VERIFY, fact.key.partner, fact.key.certificate)
        for fact in evidence.signatures
        if isinstance(fact.key, CertificateKey)
    )
    decrypted = (
        Use(Case.DECRYPT, partner, root.recipient.certificate)
        for root in evidence.roots.values()
        if root.recipient is not None
    )
    return tuple(dict.fromkeys((*verified, *decrypted)))


def uses_of_reply(
    message: Message, caller: str, signer: KeyPair | None, receiver: Certificate | None
) -> tuple[Use, ...]:
    """What protected a reply.

    Args:
        message: the request.
        caller: as for :func:`uses_of_request`.
        signer: whose signature the reply bears, if an asymmetric one.
        receiver: the certificate that the reply's own key is encrypted to, if it has one.
    """
    partner = partner_of(message, caller)
    signed = () if signer is None else (Use(Case.SIGN, partner, signer.certificate),)
    return signed if receiver is None else (*signed, Use(Case.ENCRYPT, partner, receiver))


def partner_of(message: Message, caller: str) -> str:
    """The peer's name in trust, or that of the caller where no certificate shows who it is."""
    holder = message.certificate_key
    return caller if holder is None else holder.partner
