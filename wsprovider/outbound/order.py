"""The children of an outgoing Security header, in the order that Apache Rampart insists on."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class HeaderChildren:
    """The children by what they are; each is canonical bytes, empty where there is none."""

    timestamp: bytes = b""
    context: bytes = b""
    keys: list[bytes] = field(default_factory=list)
    confirmations: list[bytes] = field(default_factory=list)
    username: bytes = b""
    token: bytes = b""
    endorsing_token: bytes = b""
    signature: bytes = b""
    endorsing: list[bytes] = field(default_factory=list)
    reference_list: bytes = b""
    encrypted_key: bytes = b""

    def in_order(self, *, encrypted_first: bool, symmetric: bool, shared: bool) -> list[bytes]:
        """What is needed to decrypt stands before the Signature, unless encryption came first.

        Args:
            encrypted_first: EncryptBeforeSigning.
            symmetric: of a symmetric binding, whose ReferenceList stands apart.
            shared: of a reply under the request's key.
        """
        decryption = [self.encrypted_key, *self.keys, self.reference_list]
        late: list[bytes] = []
        if encrypted_first:
            if symmetric:
                decryption, late = [self.encrypted_key, *self.keys], [self.reference_list]
            else:
                decryption, late = [], decryption
        return [
            self.timestamp,
            self.context,
            *([] if shared else decryption),
            *self.confirmations,
            *(decryption if shared else []),
            self.token,
            self.username,
            self.endorsing_token,
            self.signature,
            *self.endorsing,
            *late,
        ]
