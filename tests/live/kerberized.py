"""What the tests of scenario 16 share: a realm, and one service at many places that says who called it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.kdc import AES128, AES128_SHA2, AES256, AES256_SHA2, RC4, Kdc
from tests.live.provider import ProviderProcess
from wsprovider.adapters.kerberos.keytab import parse_keytab, write_keytab

SLUG = "kerberos"
OURS, WSO2S = f"/echo/{SLUG}", f"/wso2/{SLUG}"
"""The scenario under our suite, and under Basic256."""
HTTP, ROLLING, BY_PASSWORD, BRIEF, ELSEWHERE = (
    f"HTTP/{name}" for name in ("localhost", "rolling", "password", "brief", "elsewhere")
)
USERS = {"alice": "alice's password", "bob": "bob's password"}
KINDS = {
    "HTTP/aes128-sha1": AES128,
    "HTTP/aes256-sha1": AES256,
    "HTTP/aes128-sha2": AES128_SHA2,
    "HTTP/aes256-sha2": AES256_SHA2,
}
"""Services that have keys of one type only."""
OLD = "HTTP/rc4"
LIFE = 4
"""Seconds that a ticket for BRIEF lives."""
SERVICE_KEYTAB, ROLLING_KEYTAB = "service.keytab", "rolling.keytab"

ECHO = "urn:wsprovider:echo"
_SP = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
_WSP = "http://schemas.xmlsoap.org/ws/2004/09/policy"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_SECRET = "the service's password"

SERVICE = '''\
"""Says what it was told, or who told it."""

from spyne import ServiceBase, Unicode, rpc


class Echo(ServiceBase):
    """One operation."""

    @rpc(Unicode, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text):
        """Return the text, or name, proof and roles of the caller who asks "who"."""
        if text != "who":
            return text
        caller = ctx.udc
        return f"{caller.name} by {caller.proof.value}, {sorted(caller.roles)}"
'''


def policy(
    *,
    include: str = "AlwaysToRecipient",
    form: str = "WssGssKerberosV5ApReqToken11",
    suite: str = "Basic256Sha256",
    derived: bool = False,
    encrypted: bool = False,
    transport: bool = False,
) -> str:
    """A policy document with a Kerberos token.

    Args:
        include: when the ticket is in the message.
        form: the token's, as WS-SecurityPolicy calls it.
        derived: keys derived from the ticket's protect the message.
        encrypted: the Body is.
        transport: HTTPS, and a Timestamp that the ticket's key signs (Apache Rampart's only use of tickets).
    """
    keys = "<sp:RequireDerivedKeys/>" if derived else ""
    token = (
        f'<sp:KerberosToken sp:IncludeToken="{_SP}/IncludeToken/{include}">'
        f"<wsp:Policy>{keys}<sp:{form}/></wsp:Policy></sp:KerberosToken>"
    )
    https = "<sp:HttpsToken><wsp:Policy/></sp:HttpsToken>"
    role, held = ("TransportToken", https) if transport else ("ProtectionToken", token)
    binding = "TransportBinding" if transport else "SymmetricBinding"
    rest = (
        f"<sp:EndorsingSupportingTokens><wsp:Policy>{token}</wsp:Policy></sp:EndorsingSupportingTokens>"
        if transport
        else "<sp:SignedParts><sp:Body/></sp:SignedParts>"
    )
    if encrypted:
        rest += "<sp:EncryptedParts><sp:Body/></sp:EncryptedParts>"
    confirmed = "" if transport else "<sp:RequireSignatureConfirmation/>"
    headers = "" if transport else "<sp:OnlySignEntireHeadersAndBody/>"
    return (
        f'<wsp:Policy xmlns:wsp="{_WSP}" xmlns:sp="{_SP}" xmlns:wsu="{_WSU}" wsu:Id="Kerberos">'
        f"<wsp:ExactlyOne><wsp:All><sp:{binding}><wsp:Policy>"
        f"<sp:{role}><wsp:Policy>{held}</wsp:Policy></sp:{role}>"
        f"<sp:AlgorithmSuite><wsp:Policy><sp:{suite}/></wsp:Policy></sp:AlgorithmSuite>"
        f"<sp:Layout><wsp:Policy><sp:Lax/></wsp:Policy></sp:Layout><sp:IncludeTimestamp/>{headers}"
        f"</wsp:Policy></sp:{binding}>{rest}"
        f"<sp:Wss11><wsp:Policy><sp:MustSupportRefKeyIdentifier/>{confirmed}</wsp:Policy></sp:Wss11>"
        f"</wsp:All></wsp:ExactlyOne></wsp:Policy>"
    )


DOCUMENTS = {
    "/once": policy(include="Once"),
    "/once-basic256": policy(include="Once", suite="Basic256"),
    "/derived": policy(derived=True),
    "/encrypted": policy(encrypted=True),
    "/derived-encrypted": policy(derived=True, encrypted=True),
    "/transport": policy(transport=True),
}
SHORT = {
    "/basic128": policy(suite="Basic128Sha256"),
    "/derived-basic128": policy(derived=True, encrypted=True, suite="Basic128Sha256"),
    "/old": policy(suite="Basic128"),
}
"""For tickets with keys of 128 bits: CXF takes the length that a suite names for the key's."""


@dataclass(frozen=True)
class Place:
    """One endpoint: a scenario's slug, or a policy document; its ``[kerberos]``; more lines of its own."""

    kerberos: Mapping[str, object]
    document: str | None = None
    suite: str | None = None
    more: tuple[str, ...] = ()


def write_services(folder: Path, krb5_conf: Path, places: Mapping[str, Place]) -> None:
    """The services folder: the service, and its endpoints by path."""
    service = folder / "echo"
    service.mkdir(parents=True)
    (folder / "provider.toml").write_text(f'krb5_conf = "{krb5_conf}"\n')
    (service / "service.py").write_text(SERVICE)
    lines = [
        f'namespace = "{ECHO}"',
        'ring = "service"',
        'users = "users.toml"',
        "allow_weak_suite = true",
        'crosscheck = "xmlsec"',
    ]
    for number, (path, place) in enumerate(places.items()):
        lines += ["", "[[endpoint]]", f'path = "{path}"', f"kerberos = {_inline(place.kerberos)}"]
        if place.document is None:
            lines.append('scenario = "kerberos"')
        else:
            (service / f"policy-{number}.xml").write_text(place.document)
            lines.append(f'policy = "policy-{number}.xml"')
        if place.suite is not None:
            lines.append(f'suite = "{place.suite}"')
        lines += place.more
    (service / "service.toml").write_text("\n".join(lines) + "\n")


def _inline(value: object) -> str:
    """A value in TOML."""
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Mapping():
            pairs = (f'"{key}" = {_inline(each)}' for key, each in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list() | tuple():
            return "[" + ", ".join(_inline(each) for each in value) + "]"
        case _:
            return f'"{value}"'


@contextmanager
def realm(folder: Path) -> Iterator[Kdc]:
    """A KDC with users, and a service for every purpose."""
    with Kdc(folder) as running:
        for user, password in USERS.items():
            running.add(user, password)
        for service in (HTTP, ROLLING, ELSEWHERE):
            running.add(service)
        running.add(BRIEF, life=f"{LIFE} seconds")
        running.add(BY_PASSWORD, _SECRET)
        for service, kind in {**KINDS, OLD: RC4}.items():
            running.add(service, enctypes=(kind,))
        yield running


@contextmanager
def serving(kdc: Kdc, folder: Path) -> Iterator[ProviderProcess]:
    """One service at many places, which differ in what they say of Kerberos."""
    held: dict[str, object] = {"keytab": kdc.keytab(HTTP, BRIEF, OLD, *KINDS, file=SERVICE_KEYTAB)}
    mine = {"principal": kdc.full(BY_PASSWORD)}
    secret = folder / "password"
    secret.write_text(f"{_SECRET}\n")
    secret.chmod(0o600)
    alice = {**held, "names": {kdc.full("alice"): "alice"}}
    places = {
        OURS: Place({**held, "later_messages": True}),
        WSO2S: Place(held, suite="Basic256"),
        "/other": Place({**held, "later_messages": True}),
        "/forgetful": Place(held),
        "/realms": Place({**held, "realms": ["OTHER.LOCAL"]}),
        "/names": Place(alice),
        "/strip": Place({**held, "realms": [kdc.realm], "strip_realm": True}),
        "/roles": Place(alice, more=('roles = ["user"]',)),
        "/admins": Place(alice, more=('roles = ["no such role"]',)),
        "/rolling": Place({"keytab": kdc.keytab(ROLLING, file=ROLLING_KEYTAB)}),
        "/password-file": Place({**mine, "password_file": secret}),
        "/password-env": Place({**mine, "password_env": "HTTP_PASSWORD"}),
        **{path: Place(held, document) for path, document in {**DOCUMENTS, **SHORT}.items()},
        "/old": Place({**held, "enctypes": ["rc4-hmac", AES256]}, SHORT["/old"]),
    }
    write_services(folder / "services", kdc.krb5_conf, places)
    # provider.toml says where krb5.conf is
    environ = {**kdc.environment, "KRB5_CONFIG": str(folder / "none"), "HTTP_PASSWORD": _SECRET}
    with ProviderProcess(folder, environ=environ) as running:
        yield running


@contextmanager
def only(provider: ProviderProcess, worker: int) -> Iterator[None]:
    """All other HTTP workers stand still."""
    others = [one for one in provider.http_workers() if one != worker]
    try:
        for other in others:
            os.kill(other, signal.SIGSTOP)
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def drop(kdc: Kdc, file: str, version: int) -> None:
    """Take the keys of one version out of a keytab."""
    target, fresh = kdc.folder / file, kdc.folder / f"{file}.new"
    fresh.write_bytes(write_keytab([key for key in parse_keytab(target.read_bytes()) if key.kvno != version]))
    fresh.replace(target)
