"""What ``call`` and ``attack`` share: who we are when we call a service, and what we say."""

import argparse
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree

from wsprovider.adapters.kerberos import Tickets, by_cache, by_keytab, by_password, named_password
from wsprovider.adapters.keys.pkcs12 import load_bundle
from wsprovider.adapters.keys.reading import MaterialError
from wsprovider.config.demands import demands_of
from wsprovider.config.environment import process_environ
from wsprovider.inbound import http_basic
from wsprovider.keyring.material import Certificate, KeyPair
from wsprovider.keyring.ring import Purpose, Ring, RingKey, RingSnapshot
from wsprovider.keyring.trust import Partner, PinnedGroup, Trust
from wsprovider.outbound.message import Credentials
from wsprovider.policy.model import Alternative, ClientAuthentication, Policy, TransportBinding
from wsprovider.policy.requirements import Requirements
from wsprovider.words import namespaces as ns
from wsprovider.words.errors import ConfigurationError, Problem
from wsprovider.words.limits import Limits

SERVICE: Final = "service"
"""What our trust calls the service."""


def add_caller(command: Any, *, client: Path | None, ca: Path | None) -> None:
    """Give a command the options that say who calls.

    Args:
        client, ca: the defaults; None: the development keys in the keys folder.
    """
    usual = "those of the development keys" if client is None else "%(default)s"
    command.add_argument("--user", help="user name, where the policy wants one")
    command.add_argument(
        "--password-file", type=Path, help="file with the password (default: WSPROVIDER_PASSWORD)"
    )
    command.add_argument("--digest", action="store_true", help="send a digest instead of the password")
    command.add_argument(
        "--client",
        type=Path,
        default=client,
        help=f"PKCS#12 file with our key (default: {usual}); its password: WSPROVIDER_CLIENT_PASSWORD",
    )
    command.add_argument("--ca", type=Path, default=ca, help=f"for HTTPS (default: {usual})")
    kerberos = command.add_argument_group(
        "Kerberos", "The ticket is kinit's, unless a keytab or a file with a password is named."
    )
    kerberos.add_argument(
        "--kerberos-service",
        metavar="NAME",
        help="the service: HTTP/host@REALM, or HTTP@host as krb5.conf has it",
    )
    kerberos.add_argument("--kerberos-principal", metavar="NAME", help="who we are: alice@REALM")
    ours = kerberos.add_mutually_exclusive_group()
    ours.add_argument("--kerberos-keytab", type=Path, metavar="FILE", help="with our key")
    ours.add_argument(
        "--kerberos-password-file", type=Path, metavar="FILE", help="with our password, mode 600"
    )


def tls_of(ca: Path) -> ssl.SSLContext:
    """Verifies a service by one CA, or by the system's where there is no such file."""
    return ssl.create_default_context(cafile=str(ca) if ca.is_file() else None)


def body_of(namespace: str, operation: str, fields: Sequence[str]) -> etree._Element:
    """A soap:Body that calls an operation.

    Args:
        fields: its parameters, each ``NAME=VALUE``.

    Raises:
        ConfigurationError: one of them is not of that form.
    """
    body = etree.Element(f"{{{ns.SOAP11}}}Body", nsmap={"m": namespace})
    payload = etree.SubElement(body, f"{{{namespace}}}{operation}")
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator:
            raise ConfigurationError([Problem(field, "is not of the form NAME=VALUE")])
        etree.SubElement(payload, f"{{{namespace}}}{name}").text = value
    return body


def tickets_of(policy: Policy, options: argparse.Namespace) -> Tickets | None:
    """The source of our tickets, where the policy wants some.

    Raises:
        ConfigurationError: an option that this takes is missing.
    """
    if not demands_of(policy).kerberos:
        return None
    service, principal = options.kerberos_service, options.kerberos_principal
    if service is None:
        what = "is missing: the policy asks for a Kerberos ticket; name the service, such as HTTP/host@REALM"
        raise ConfigurationError([Problem("--kerberos-service", what)])
    acquire = by_cache(principal=principal)
    if options.kerberos_keytab or options.kerberos_password_file:
        if principal is None:
            raise ConfigurationError([Problem("--kerberos-principal", "is missing: name whose key that is")])
        if options.kerberos_keytab:
            acquire = by_keytab(options.kerberos_keytab, principal)
        else:
            password = named_password(variable=None, file=options.kerberos_password_file, environ={})
            acquire = by_password(principal, password)
    return Tickets(service, acquire, hostbased="/" not in service and "@" in service)


def credentials_of(options: argparse.Namespace) -> Credentials | None:
    """Our user name and password; None without a user name.

    Raises:
        ConfigurationError: there is no password for it.
    """
    if options.user is None:
        return None
    if options.password_file is not None:
        password = options.password_file.read_text().rstrip("\r\n")
    else:
        password = process_environ().get("WSPROVIDER_PASSWORD", "")
    if not password:
        raise ConfigurationError([Problem("--user", "name a --password-file, or set WSPROVIDER_PASSWORD")])
    return Credentials(options.user, password, digest=options.digest)


def authorization_of(demanded: Requirements, credentials: Credentials | None, url: str) -> str | None:
    """The Authorization header that goes with each message, where one is demanded.

    Raises:
        ConfigurationError: there is no user name, it is not one for HTTP Basic, or the URL is not https.
    """
    if not demanded.request.http_basic:
        return None
    if urlsplit(url).scheme != "https":
        raise ConfigurationError([Problem(url, "would show the password: HTTP Basic wants the https URL")])
    if credentials is None:
        raise ConfigurationError([Problem("--user", "is missing: the policy asks for HTTP Basic")])
    try:
        return http_basic.written(credentials.username, credentials.password)
    except ValueError as error:
        raise ConfigurationError([Problem("--user", f"{error}: send a UsernameToken")]) from None


def takes_basic(alternative: Alternative) -> bool:
    """Whether user name and password come with HTTP."""
    binding = alternative.binding
    return isinstance(binding, TransportBinding) and binding.token.client is ClientAuthentication.BASIC


def asks_certificates(policy: Policy) -> bool:
    """Whether the client has to have a key and the service's certificate; under Kerberos nobody has one."""
    demands = demands_of(policy)
    return bool(policy.alternatives) and (not demands.kerberos or demands.ring or demands.trust)


def client_pair(file: Path) -> KeyPair:
    """Our key.

    Args:
        file: PKCS#12; its password is in WSPROVIDER_CLIENT_PASSWORD.

    Raises:
        ConfigurationError: it cannot be read.
    """
    password = process_environ().get("WSPROVIDER_CLIENT_PASSWORD", "development")
    try:
        key, certificate, chain = load_bundle(file.read_bytes(), password.encode())
    except (OSError, MaterialError) as error:
        raise ConfigurationError([Problem("--client", str(error))]) from None
    return KeyPair("client", certificate, key, chain)


def snapshot_of(pair: KeyPair | None, service: Sequence[Certificate]) -> RingSnapshot:
    """Our key, and the service's certificates, which alone are trusted."""
    ring = Ring("client", () if pair is None else (RingKey(pair, frozenset(Purpose)),))
    groups = (PinnedGroup(SERVICE, (Partner(SERVICE, tuple(service)),)),) if service else ()
    return RingSnapshot(ring, Trust(groups, Limits()), "1")
