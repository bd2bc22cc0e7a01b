"""Contexts on their way to and from the shared store: sealed, so that a stolen copy of it is worth nothing.

AES-256-GCM under the newest active ``[[seal]]`` key of the ring, a fresh 96-bit nonce each time, and the
context's identifier as associated data: what was sealed for one context never opens as another.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wsprovider.keyring.contexts import ContextOwner, SecurityContext
from wsprovider.keyring.material import Certificate
from wsprovider.keyring.ring import SealKeys
from wsprovider.ports import Entropy, Record
from wsprovider.words.errors import ConfigurationError, Problem, SoapError, SoapFault, WSSecurityError
from wsprovider.words.reasons import Reason

_FORM: Final = 1
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"wsprovider security context\x00"


def seal(context: SecurityContext, seals: SealKeys, now: datetime, entropy: Entropy) -> bytes:
    """A context as the store keeps it: form, name of the key, nonce, and what is sealed.

    Raises:
        ConfigurationError: no seal key is active.
    """
    return seal_octets(_PURPOSE, context.identifier, _write(context), seals, now, entropy)


def unseal(record: Record, seals: SealKeys, now: datetime) -> SecurityContext:
    """The context that a record holds.

    Raises:
        SoapError: CONTEXT_SEAL: its key no longer opens, or somebody else wrote it.
    """
    plain = open_octets(_PURPOSE, record, seals, now)
    if plain is None:
        raise _broken("its key is not there, or somebody else wrote it")
    try:
        return _read(json.loads(plain), record)
    except (ValueError, KeyError, TypeError, WSSecurityError) as error:
        raise _broken(type(error).__name__) from None


def seal_octets(
    purpose: bytes, name: str, plain: bytes, seals: SealKeys, now: datetime, entropy: Entropy
) -> bytes:
    """Seal something for a record: form, name of the key, nonce, and what is sealed.

    Args:
        purpose: what kind of thing it is; nothing opens as a thing of another kind.
        name: the record's key; nothing opens under another one.

    Raises:
        ConfigurationError: no seal key is active.
    """
    key = seals.sealing(now)
    if key is None:
        raise ConfigurationError([Problem("ring", "no [[seal]] key is active now")])
    label = key.name.encode()
    head = bytes((_FORM, len(label))) + label
    nonce = entropy(_NONCE_BYTES)
    return head + nonce + AESGCM(key.secret).encrypt(nonce, plain, purpose + head + name.encode())


def open_octets(purpose: bytes, record: Record, seals: SealKeys, now: datetime) -> bytes | None:
    """What a record has sealed; None when its key no longer opens, or somebody else wrote it."""
    value = record.value
    try:
        end = 2 + value[1]
        key = seals.opening(value[2:end].decode(), now)
        if value[0] != _FORM or key is None:
            return None
        nonce, sealed = value[end : end + _NONCE_BYTES], value[end + _NONCE_BYTES :]
        return AESGCM(key.secret).decrypt(nonce, sealed, purpose + value[:end] + record.key.encode())
    except (InvalidTag, IndexError, ValueError):
        return None


def sealed_by(record: Record) -> str:
    """The name of the key that sealed a record, for a look at whether it still may open; may be nonsense."""
    return record.value[2 : 2 + record.value[1]].decode("utf-8", "replace") if len(record.value) > 1 else ""


def _broken(detail: str) -> SoapError:
    return SoapError(SoapFault.BAD_CONTEXT_TOKEN, Reason.CONTEXT_SEAL, detail)


def _write(context: SecurityContext) -> bytes:
    owner = context.owner
    values: dict[str, Any] = {
        "instance": context.instance,
        "namespace": context.namespace,
        "secret": _text(context.secret),
        "endpoint": context.endpoint,
        "policy": context.policy,
        "created": context.created.timestamp(),
        "expires": context.expires.timestamp(),
        "used": context.used,
        "name": owner.name,
        "proof": owner.proof,
        "roles": sorted(owner.roles),
        "user": owner.user_version,
        "transport": owner.transport_certificate,
        "certificate": None if owner.certificate is None else _text(owner.certificate.der),
        "path": [_text(one.der) for one in owner.path],
        "identities": owner.identities,
        "partner": owner.partner,
        "variant": owner.variant,
    }
    return json.dumps(values, separators=(",", ":")).encode()


def _read(values: dict[str, Any], record: Record) -> SecurityContext:
    certificate = values["certificate"]
    owner = ContextOwner(
        values["name"],
        values["proof"],
        None if certificate is None else _parsed(_octets(certificate)),
        tuple(_parsed(_octets(one)) for one in values["path"]),
        frozenset(values["roles"]),
        values["user"],
        values["transport"],
        tuple(values.get("identities", ())),  # a worker of an earlier version may have issued it
        values.get("partner", ""),
        values.get("variant", ""),
    )
    return SecurityContext(
        record.key,
        values["instance"],
        values["namespace"],
        _octets(values["secret"]),
        values["endpoint"],
        values["policy"],
        owner,
        datetime.fromtimestamp(values["created"], UTC),
        datetime.fromtimestamp(values["expires"], UTC),
        values["used"],
        record.version,
    )


#: many contexts are of the same few partners
_parsed = lru_cache(maxsize=256)(Certificate.from_der)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(text: str) -> bytes:
    return binascii.a2b_base64(text)
