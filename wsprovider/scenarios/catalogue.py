"""The sixteen scenarios (and 13e) as rows: a policy under a number, a slug and WSO2's wsu:Id.

The rows demand what WSO2's published policy files demand, but for the algorithm suite, which the files
fix to Basic256. Of the two published sets of files the rows follow the newer one, where scenario 5 and
the bootstrap of 11 say WssX509V3Token10 like all others; the older set has no type there.

Number 13 is what the file of that id says (sign and encrypt), not what its title says (encrypt only);
the title's reading is 13e (docs/decisions).
"""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from wsprovider.policy.model import Alternative, Policy
from wsprovider.scenarios import blocks
from wsprovider.scenarios.blocks import (
    BODY,
    NOTHING,
    certificate_exchange,
    conversation,
    service_key_exchange,
)
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.suites import SUITES, Suite

DEFAULT_SUITE: Final = "Basic256Sha256"
UNSIGNED_SUITE: Final = "Basic256GcmSha256"
"""For a Body that is encrypted and not signed: a cipher with an integrity of its own."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a service must be given for a scenario to work.

    Attributes:
        users: a user store; whoever calls has a name, so roles can be asked for.
        service_key: a private key of the service in its ring.
        client_trust: trusted client certificates or their authorities.
        pinned_clients: the client certificates themselves; messages name them by thumbprint only.
        tls: the transport must be TLS.
        conversation: a shared store for security contexts, and WS-Addressing.
        kerberos: a service principal and its key.
    """

    users: bool = False
    service_key: bool = True
    client_trust: bool = False
    pinned_clients: bool = False
    tls: bool = False
    conversation: bool = False
    kerberos: bool = False

    @property
    def roles(self) -> bool:
        """Roles can be asked for: somebody is named who has some."""
        return self.users


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row.

    Attributes:
        number: as WSO2's documentation counts.
        slug: the name in this project.
        wsu_id: the id of WSO2's policy file, and of the policy that is published.
        title: a few words.
        description: who is authenticated, and what is protected.
        alternative: makes the only alternative for a suite.
        default_suite: the suite's name where a service names none.
        needs: what a service must be given.
    """

    number: str
    slug: str
    wsu_id: str
    title: str
    description: str
    alternative: Callable[[Suite], Alternative]
    needs: Needs
    default_suite: str = DEFAULT_SUITE

    def policy(self, suite: Suite | None = None) -> Policy:
        """The policy under a suite, or under the row's own."""
        return Policy(self.wsu_id, (self.alternative(suite or SUITES[self.default_suite]),))

    @property
    def names(self) -> tuple[str, str, str]:
        """All that :func:`find` knows it by."""
        return self.number, self.slug, self.wsu_id


def _username_token(suite: Suite) -> Alternative:
    return Alternative(blocks.transport(suite), supporting=(blocks.SIGNED_ANY_USERNAME,))


def _non_repudiation(suite: Suite) -> Alternative:
    return certificate_exchange(
        suite, blocks.X509_IN_REQUEST, signed=BODY, encrypted=NOTHING, wss=blocks.WSS10
    )


def _integrity(suite: Suite) -> Alternative:
    return service_key_exchange(suite, signed=BODY, encrypted=NOTHING)


def _confidentiality(suite: Suite) -> Alternative:
    return service_key_exchange(suite, signed=NOTHING, encrypted=BODY)


def _sign_encrypt_x509(suite: Suite) -> Alternative:
    return certificate_exchange(
        suite, blocks.X509_IN_REQUEST, signed=BODY, encrypted=BODY, wss=blocks.WSS10_AND_11_CONFIRMED
    )


def _sign_encrypt_anonymous(suite: Suite) -> Alternative:
    return service_key_exchange(suite, signed=BODY, encrypted=BODY)


def _encrypt_username(suite: Suite) -> Alternative:
    return service_key_exchange(suite, signed=NOTHING, encrypted=BODY, username=True)


def _sign_encrypt_username(suite: Suite) -> Alternative:
    return service_key_exchange(suite, signed=BODY, encrypted=BODY, username=True)


def _x509_bootstrap(suite: Suite) -> Alternative:
    return certificate_exchange(
        suite, blocks.X509_BY_THUMBPRINT, signed=BODY, encrypted=BODY, wss=blocks.WSS10
    )


def _signing(bootstrap: Callable[[Suite], Alternative]) -> Callable[[Suite], Alternative]:
    return lambda suite: conversation(suite, bootstrap(suite), signed=BODY, encrypted=NOTHING)


def _encrypting(bootstrap: Callable[[Suite], Alternative]) -> Callable[[Suite], Alternative]:
    return lambda suite: conversation(suite, bootstrap(suite), signed=NOTHING, encrypted=BODY)


def _signing_and_encrypting(bootstrap: Callable[[Suite], Alternative]) -> Callable[[Suite], Alternative]:
    return lambda suite: conversation(suite, bootstrap(suite), signed=BODY, encrypted=BODY)


def _kerberos(suite: Suite) -> Alternative:
    return Alternative(
        blocks.symmetric(suite, blocks.KERBEROS),
        signed_parts=BODY,
        wss=blocks.WSS11_CONFIRMED_WITHOUT_ENCRYPTED_KEY,
        trust=blocks.TRUST,
    )


_X509_CONVERSATION: Final = Needs(pinned_clients=True, conversation=True)
_ANONYMOUS_CONVERSATION: Final = Needs(conversation=True)
_USERNAME_CONVERSATION: Final = Needs(users=True, conversation=True)

SCENARIOS: Final = (
    Scenario(
        "1", "username-token", "UTOverTransport", "User name over TLS",
        "The caller has a user name and a password; TLS protects the message.",
        _username_token, Needs(users=True, service_key=False, tls=True),
    ),
    Scenario(
        "2", "non-repudiation", "SigOnly", "Signed with the caller's certificate",
        "The caller has a certificate; both sides sign. Nothing is encrypted.",
        _non_repudiation, Needs(client_trust=True),
    ),
    Scenario(
        "3", "integrity", "SgnOnlyAnonymous", "Signed, anonymous callers",
        "Nobody is authenticated but the service; messages are signed with a secret made for it.",
        _integrity, Needs(),
    ),
    Scenario(
        "4", "confidentiality", "EncrOnlyAnonymous", "Encrypted, anonymous callers",
        "Nobody is authenticated but the service; the Body is encrypted, and not signed.",
        _confidentiality, Needs(), UNSIGNED_SUITE,
    ),
    Scenario(
        "5", "sign-encrypt-x509", "SigEncr", "Signed and encrypted, callers with certificates",
        "The caller has a certificate; both sides sign, and encrypt to the other's certificate.",
        _sign_encrypt_x509, Needs(client_trust=True),
    ),
    Scenario(
        "6", "sign-encrypt-anonymous", "SgnEncrAnonymous", "Signed and encrypted, anonymous callers",
        "Nobody is authenticated but the service; a secret made for it signs and encrypts.",
        _sign_encrypt_anonymous, Needs(),
    ),
    Scenario(
        "7", "encrypt-username", "EncrOnlyUsername", "Encrypted, callers with user names",
        "The caller has a user name and a password; the Body is encrypted, and not signed.",
        _encrypt_username, Needs(users=True), UNSIGNED_SUITE,
    ),
    Scenario(
        "8", "sign-encrypt-username", "SgnEncrUsername", "Signed and encrypted, callers with user names",
        "The caller has a user name and a password; a secret made for the service signs and encrypts.",
        _sign_encrypt_username, Needs(users=True),
    ),
    Scenario(
        "9", "conversation-sign-x509", "SecConSignOnly", "Conversation, signed, certificates",
        "The caller's certificate opens a conversation, whose secret signs.",
        _signing(_x509_bootstrap), _X509_CONVERSATION,
    ),
    Scenario(
        "10", "conversation-encrypt-x509", "SecConEncrOnly", "Conversation, encrypted, certificates",
        "The caller's certificate opens a conversation, whose secret encrypts; the Body is not signed.",
        _encrypting(_x509_bootstrap), _X509_CONVERSATION, UNSIGNED_SUITE,
    ),
    Scenario(
        "11", "conversation-sign-encrypt-x509", "SecConSgnEncr",
        "Conversation, signed and encrypted, certificates",
        "The caller's certificate opens a conversation, whose secret signs and encrypts.",
        _signing_and_encrypting(_x509_bootstrap), _X509_CONVERSATION,
    ),
    Scenario(
        "12", "conversation-sign-anonymous", "SecConSignOnlyAnonymous", "Conversation, signed, anonymous",
        "Anybody opens a conversation, whose secret signs.",
        _signing(_sign_encrypt_anonymous), _ANONYMOUS_CONVERSATION,
    ),
    Scenario(
        "13", "conversation-sign-encrypt-anonymous", "SecConEncrOnlyAnonymous",
        "Conversation, signed and encrypted, anonymous",
        "Anybody opens a conversation, whose secret signs and encrypts (the id says otherwise; its file is followed).",
        _signing_and_encrypting(_sign_encrypt_anonymous), _ANONYMOUS_CONVERSATION,
    ),
    Scenario(
        "13e", "conversation-encrypt-anonymous", "SecConEncrAnonymous", "Conversation, encrypted, anonymous",
        "Anybody opens a conversation, whose secret encrypts; the Body is not signed.",
        _encrypting(_sign_encrypt_anonymous), _ANONYMOUS_CONVERSATION, UNSIGNED_SUITE,
    ),
    Scenario(
        "14", "conversation-encrypt-username", "SecConEncrUsername", "Conversation, encrypted, user names",
        "A user name and a password open a conversation, whose secret encrypts; the Body is not signed.",
        _encrypting(_sign_encrypt_username), _USERNAME_CONVERSATION, UNSIGNED_SUITE,
    ),
    Scenario(
        "15", "conversation-sign-encrypt-username", "SecConSgnEncrUsername",
        "Conversation, signed and encrypted, user names",
        "A user name and a password open a conversation, whose secret signs and encrypts.",
        _signing_and_encrypting(_sign_encrypt_username), _USERNAME_CONVERSATION,
    ),
    Scenario(
        "16", "kerberos", "kerberossignandencrypt", "Signed under a Kerberos ticket",
        "The caller has a Kerberos ticket, whose key signs. Nothing is encrypted (the id says otherwise).",
        _kerberos, Needs(service_key=False, kerberos=True),
    ),
)  # fmt: skip
"""Every scenario, in the order of its number."""

_BY_NAME: Final = {name.lower(): scenario for scenario in SCENARIOS for name in scenario.names}


def find(name: str | int, *, where: str = "scenario") -> Scenario:
    """The scenario of a number (``8``, ``"13e"``), a slug or WSO2's wsu:Id; case does not matter.

    Args:
        name: what a service's file says.
        where: file and key, for the problem.

    Raises:
        ConfigurationError: there is none of that name; the problem lists the nearest ones.
    """
    scenario = _BY_NAME.get(str(name).strip().lower())
    if scenario is not None:
        return scenario
    raise ConfigurationError([Problem(where, f"there is no scenario {str(name)[:80]!r}; {_near(str(name))}")])


def _near(name: str) -> str:
    found = difflib.get_close_matches(name.strip().lower()[:80], _BY_NAME, n=4, cutoff=0.5)
    slugs = dict.fromkeys(_BY_NAME[candidate].slug for candidate in found)
    if slugs:
        return f"did you mean {_listed(slugs)}?"
    return f"the scenarios are {_listed(scenario.slug for scenario in SCENARIOS)}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
