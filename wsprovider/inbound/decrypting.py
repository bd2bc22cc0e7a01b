"""Finding what is encrypted, at the places a policy could name, and decrypting it to bytes.

XML Encryption 1.1 section 4.4; BSP 1.1 section 9. Encrypted content is looked for in three places
only: the Body's sole child, the children of the Security header, and EncryptedHeader blocks. Anything
else of that name is data of the application and stays unread.
"""

from dataclasses import dataclass
from enum import Enum

from lxml import etree

from wsprovider.crypto.ciphers import CIPHERS, decrypt_alike
from wsprovider.header import encrypted_data
from wsprovider.header.encrypted_data import EncryptedData
from wsprovider.inbound.candidates import Candidates
from wsprovider.inbound.context import Context
from wsprovider.inbound.evidence import SecretKey
from wsprovider.inbound.keys import Keys
from wsprovider.soap.envelope import ENCRYPTED_HEADER, Envelope
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.limits import Limits
from wsprovider.words.reasons import Reason
from wsprovider.xml.places import Place, place_of
from wsprovider.xml.splice import Graft


class Where(Enum):
    """Where encrypted content was found."""

    BODY = "Body"
    SECURITY = "Security"
    HEADER = "header"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One EncryptedData at an allowed place.

    Attributes:
        place: of what the plaintext replaces (an EncryptedHeader is replaced whole).
        index: of the header child, when it stands in the Security header.
    """

    data: EncryptedData
    where: Where
    place: Place
    index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Decrypted:
    """Plaintext bytes, and what opened them.

    Attributes:
        holds: it is a plaintext; else nothing can be made of it, which shows in the next tree only.
    """

    found: Found
    key: SecretKey
    plaintext: bytes
    holds: bool

    @property
    def graft(self) -> Graft:
        """How the plaintext goes into the tree."""
        return Graft(self.found.place, self.plaintext, self.found.data.content)


def find(envelope: Envelope, candidates: Candidates, limits: Limits) -> list[Found]:
    """Everything encrypted that may be decrypted.

    Raises:
        WSSecurityError: ENCRYPTION_PLACE, TOO_MANY_ENCRYPTED_DATA, or a field's own error.
    """
    found: list[Found] = []
    security = envelope.security
    for index, data in candidates.encrypted.items():
        if data.content or security is None:
            raise WSSecurityError(Reason.ENCRYPTION_PLACE, "Content in the Security header")
        found.append(Found(data, Where.SECURITY, place_of(data.element), index))
    for block in envelope.blocks:
        if block.tag == encrypted_data.TAG:  # BSP R3228
            raise WSSecurityError(Reason.ENCRYPTION_PLACE, "EncryptedData as header block")
        if block.tag == ENCRYPTED_HEADER:
            found.append(_read_encrypted_header(block, limits))
    payload = envelope.payload
    if payload is not None and payload.tag == encrypted_data.TAG:
        data = encrypted_data.read(payload, limits)
        if not data.content:
            raise WSSecurityError(Reason.ENCRYPTION_PLACE, "the Body is not encrypted as Content")
        found.append(Found(data, Where.BODY, place_of(payload)))
    if len(found) > limits.encrypted_data:
        raise WSSecurityError(Reason.TOO_MANY_ENCRYPTED_DATA, f"more than {limits.encrypted_data}")
    if sum(len(one.data.octets) for one in found) > limits.decrypted_bytes:
        raise WSSecurityError(Reason.DECRYPTED_TOO_LARGE)
    return found


def _read_encrypted_header(block: etree._Element, limits: Limits) -> Found:
    """BSP 1.1 R3230: an EncryptedHeader holds exactly one EncryptedData."""
    if len(block) != 1 or block[0].tag != encrypted_data.TAG:
        raise WSSecurityError(Reason.ENCRYPTION_PLACE, "EncryptedHeader")
    data = encrypted_data.read(block[0], limits)
    if data.content:
        raise WSSecurityError(Reason.ENCRYPTION_PLACE, "EncryptedHeader with Content")
    return Found(data, Where.HEADER, place_of(block))


def resolve(found: list[Found], candidates: Candidates, keys: Keys) -> list[SecretKey]:
    """The key of each EncryptedData: lists and KeyInfo must be complete and agree.

    BSP 1.1 R3205, R3231, R3208.

    Raises:
        WSSecurityError: REFERENCE_LIST, PROTECTION_KEY, or what resolving a key says.
    """
    owners: dict[str, int | None] = {}
    lists: list[tuple[int, tuple[str, ...], int | None]] = [
        (index, ids, None) for index, ids in candidates.reference_lists.items()
    ]
    lists += [
        (index, encrypted.data, index)
        for index, encrypted in candidates.encrypted_keys.items()
        if encrypted.data is not None
    ]
    for index, ids, owner in lists:
        keys.used.add(index)
        for identifier in ids:
            if identifier in owners:
                raise WSSecurityError(Reason.REFERENCE_LIST, f"{identifier} is listed twice")
            owners[identifier] = owner
    resolved: list[SecretKey] = []
    for one in found:
        if one.data.id is None or one.data.id not in owners:
            raise WSSecurityError(Reason.REFERENCE_LIST, "EncryptedData that no list names")
        resolved.append(key_of(one.data, owners.pop(one.data.id), keys))
    if owners:
        raise WSSecurityError(Reason.REFERENCE_LIST, "a list names what is not there")
    return resolved


def key_of(data: EncryptedData, owner: int | None, keys: Keys) -> SecretKey:
    """The key of one EncryptedData.

    Args:
        owner: index of the EncryptedKey whose list names it, if one does.

    Raises:
        WSSecurityError: REFERENCE_LIST, PROTECTION_KEY, or what resolving a key says.
    """
    listed = keys.of_encrypted_key(owner) if owner is not None else None
    if data.key is None:
        if listed is None:
            raise WSSecurityError(Reason.REFERENCE_LIST, "EncryptedData without a key")
        return listed
    named = keys.for_decryption(data.key)
    if listed is not None and named.root is not listed.root:
        raise WSSecurityError(Reason.PROTECTION_KEY, "KeyInfo and ReferenceList disagree")
    return named


def decrypt_found(one: Found, key: SecretKey, context: Context) -> Decrypted:
    """Decrypt one EncryptedData to bytes; what cannot be decrypted is refused later, where it is parsed.

    Raises:
        WSSecurityError: ALGORITHM_NOT_IN_SUITE, KEY_SIZE, CROSSCHECK.
    """
    method = one.data.method
    if method not in context.gate.ciphers:
        raise WSSecurityError(Reason.ALGORITHM_NOT_IN_SUITE, method)
    row = CIPHERS[method]
    length = len(key.secret)
    short = context.gate.short_keys and not row.authenticated and length == 16
    if length != row.key_bytes and not short and key.root.ticket is not None and key.derived is None:
        # nobody chose that length for the suite; it is the ticket's affair, and no secret
        raise WSSecurityError(Reason.KEY_SIZE, f"a ticket's key of {length} bytes")
    fits = length == row.key_bytes or short
    secret = key.secret if fits else bytes(row.key_bytes)
    plaintext, holds = decrypt_alike(method, secret, one.data.octets)
    if not fits:
        plaintext, holds = bytes(len(one.data.octets) or 1), False
    if holds and context.second_opinion is not None:
        context.second_opinion.decryption(one.data.element, method, key.secret, plaintext)
    return Decrypted(one, key, plaintext, holds)
