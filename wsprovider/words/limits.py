"""Budgets of one message: what is counted before any work is done on its behalf.

Every number is a setting of a service (``[limits]`` in ``service.toml``) and has its own
:class:`~wsprovider.words.reasons.Reason`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one inbound message; sizes in bytes, ages in seconds.

    The depth is what Apache CXF enforces by default, and the number of references is that of Apache
    Santuario's secure validation. The others keep the worst message within five times an accepted one of
    its size (docs/budgets.md).
    """

    message_bytes: int = 16_000_000
    decrypted_bytes: int = 16_000_000
    depth: int = 100
    elements: int = 200_000
    attributes_per_element: int = 200
    namespace_declarations: int = 2_000
    namespaces_in_scope: int = 64
    namespace_characters: int = 500
    canonical_growth: int = 16
    ids: int = 200
    header_blocks: int = 100
    header_children: int = 40
    signatures: int = 3
    references: int = 30
    inclusive_prefixes: int = 32
    encrypted_keys: int = 3
    encrypted_data: int = 30
    derived_keys: int = 10
    tokens: int = 6
    certificate_bytes: int = 16_384
    path_certificates: int = 6
    ticket_bytes: int = 65_536
    field_characters: int = 16_384
    password_bytes: int = 512
    rsa_bits_minimum: int = 2048
    rsa_bits_maximum: int = 4096
