"""Clients in Java: CXF, Rampart, Metro and WSS4J. What they can do is what the tests of ``docs/peers`` have shown."""

from collections.abc import Iterator
from typing import Final

from wsprovider.policy.model import Inclusion
from wsprovider.policy.requirements import Protection, Requirements
from wsprovider.server.pages import snippets
from wsprovider.server.pages.facts import ADDRESS, Facts
from wsprovider.server.pages.needs import (
    openings,
    over_tls,
    plain,
    signs,
    suite,
    tickets,
    uses_name,
    uses_own_key,
    uses_service_certificate,
)
from wsprovider.server.pages.snippets import Snippet
from wsprovider.words import algorithms as alg

_TLS: Final = "The JVM has to trust the authority of the service's TLS certificate: javax.net.ssl.trustStore."
_TLS_OF_CLIENTS: Final = "Your certificate for TLS is told to the JVM, too: javax.net.ssl.keyStore."


def cxf_cannot(way: Requirements) -> str | None:
    """Why CXF cannot call under a policy."""
    if suite(way).key_transports[0].method == alg.RSA_15:
        return "CXF was not tried with suites of RSA 1.5."
    return None


def cxf(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What CXF needs."""

    def notes() -> Iterator[str]:
        yield "Apache CXF sets itself up from the WSDL; it has to be told keys, passwords and a few algorithms."
        if over_tls(way):
            yield _TLS
        if way.client_certificate:
            yield _TLS_OF_CLIENTS

    def texts() -> Iterator[Snippet]:
        if uses_own_key(way) or uses_service_certificate(way):
            yield Snippet("client.properties", "\n".join(_stores(way)) + "\n")
        yield Snippet("endpoint.properties", "\n".join(_cxf_properties(way)) + "\n")
        yield _java(facts, "cxf-client")
        yield _run(facts, wsdl=True)

    return notes(), texts()


def _stores(way: Requirements) -> Iterator[str]:
    for kind, file, used in (
        ("keystore", "client.p12", uses_own_key(way)),
        ("truststore", "trust.p12", uses_service_certificate(way)),
    ):
        if used:
            yield f"org.apache.wss4j.crypto.merlin.{kind}.type=PKCS12"
            yield f"org.apache.wss4j.crypto.merlin.{kind}.file={file}"
            yield f"org.apache.wss4j.crypto.merlin.{kind}.password=your-password"


def _cxf_properties(way: Requirements) -> Iterator[str]:
    used = suite(way)
    own, service = uses_own_key(way), uses_service_certificate(way)
    if own or service:
        yield "security.signature.properties=client.properties"
    if own:
        yield "security.signature.username=your-alias"
    if service:
        yield "security.encryption.properties=client.properties"
        yield "security.encryption.username=service"
    if uses_name(way):
        yield "security.username=your-user"
        yield "security.password=your-password"
    if tickets(way):
        yield "ws-security.kerberos.jaas.context=your-login-context"
        yield "ws-security.kerberos.spn=your-service-principal"
    asymmetric, symmetric = used.asymmetric_signatures[0], used.symmetric_signatures[0]
    if asymmetric != alg.RSA_SHA1 and any(signs(one.request) for one in openings(way)):
        yield "# CXF signs with SHA-1 unless it is told otherwise"
        yield f"ws-security.asymmetric.signature.algorithm={asymmetric}"
        yield f"ws-security.symmetric.signature.algorithm={symmetric}"
    if used.custom:
        prefix = "ws-security.custom.alg.suite."
        yield f"# for {used.name}"
        yield f"{prefix}asymmetric.signature={asymmetric}"
        yield f"{prefix}symmetric.signature={symmetric}"
        yield f"{prefix}asymmetric.key.encryption.algorithm={used.key_transports[0].method}"
        if used.symmetric_bits != 256:  # CXF's own default
            yield f"{prefix}encryption.algorithm={used.encryptions[0]}"
            yield f"{prefix}minimum.symmetric.key.length={used.symmetric_bits}"
            yield f"{prefix}maximum.symmetric.key.length={used.symmetric_bits}"
    if used.symmetric_bits == 192:
        yield "ws-security.is-bsp-compliant=false"


def metro_cannot(way: Requirements) -> str | None:
    """Why Metro cannot call under a policy."""
    if suite(way).custom:
        return "Metro has no AES-GCM; it would need another suite at the service."
    if any(one.request.endorsing for one in openings(way)):
        return "Metro was not tried with endorsing tokens."
    if tickets(way):
        once = getattr(way.request.signature_token, "inclusion", None) is Inclusion.ONCE
        return None if once else "Metro takes Kerberos tokens only under a policy that includes them Once."
    if any(one.reply.protect_tokens for one in openings(way)):
        return "Metro refuses replies that sign a certificate which they only name (ProtectTokens)."
    return None


def metro(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What Metro needs."""

    def notes() -> Iterator[str]:
        yield "Eclipse Metro sets itself up from the WSDL; wsit-client.xml, on the class path, says whose keys."
        yield "Its Timestamps are in whole seconds: two equal calls within one second are refused as a replay."
        if over_tls(way):
            yield _TLS
        if way.client_certificate:
            yield _TLS_OF_CLIENTS
        if way.conversation is not None:
            yield "Closing the client ends the conversation."

    def texts() -> Iterator[Snippet]:
        yield Snippet("wsit-client.xml", snippets.document(facts, "metro-wsit"))
        yield _java(facts, "metro-client")
        yield _run(facts, wsdl=True)

    return notes(), texts()


def rampart_cannot(way: Requirements) -> str | None:
    """Why Rampart cannot call under a policy."""
    if tickets(way):
        return "Rampart 1.7 has no Kerberos."
    if suite(way).custom:
        return "Rampart has no AES-GCM; it would need another suite at the service."
    if suite(way).symmetric_bits == 192 or way.client_certificate:
        return "Rampart was not tried with keys of 192 bits or certificates in TLS."
    requests = [one.request for one in openings(way)]
    if any(one.signature_derived or one.encrypt_before_signing for one in requests) or any(
        one.encrypt_signature or one.protect_tokens for one in requests
    ):
        return (
            "Rampart was not tried with derived keys, encrypted signatures, protected tokens or that order."
        )
    return None


def rampart(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What Rampart needs."""

    def notes() -> Iterator[str]:
        yield (
            "Apache Rampart, also in WSO2's products, is led by policy.xml: the wsp:Policy of the WSDL with "
            "rampart-config.xml as its last child."
        )
        yield "keys.jks holds your key, the service's certificate as \u201cservice\u201d, and the authority."
        symmetric = any(one.request.protection is Protection.SYMMETRIC for one in openings(way))
        if symmetric and suite(way).symmetric_bits == 256:
            yield (
                "It makes keys of 128 bits for symmetric bindings and calls them 256: the service has to say "
                "short_symmetric_keys, else messages are refused."
            )
        sha1 = suite(way).asymmetric_signatures[0] == alg.RSA_SHA1
        if not sha1 and any(one.request.endorsing for one in openings(way)):
            yield "It endorses with SHA-1: the service has to say rsa_sha1 under this suite."
        named = [user for one in openings(way) for user in one.request.usernames]
        if not over_tls(way) and any(user.signed and not user.encrypted for user in named):
            yield (
                "It signs the UsernameToken and does not encrypt it: go over HTTPS, or the service has to say "
                "clear_password_over_http."
            )
        if way.conversation is not None:
            yield 'Conversations need the modules addressing and rahas, and client.engageModule("addressing").'

    def texts() -> Iterator[Snippet]:
        yield Snippet("rampart-config.xml", snippets.document(facts, "rampart-config"))
        yield _java(facts, "rampart-client")
        yield _run(facts, wsdl=False)

    return notes(), texts()


def wss4j_cannot(way: Requirements) -> str | None:
    """Why WSS4J by itself cannot call under a policy."""
    if way.conversation is not None:
        return "WSS4J by itself holds no conversations; Apache CXF, which is built on it, does."
    if not plain(way.request) or not way.request.has_signature or way.request.usernames:
        return (
            "WSS4J by itself reads no policy: each step has to be programmed, and there is no ready program for this "
            "policy here. Apache CXF, which is built on it, needs none."
        )
    return None


def wss4j(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What WSS4J by itself needs."""

    def notes() -> Iterator[str]:
        yield "WSS4J reads no policy: the program says what this one demands, with the methods of its suite."

    def texts() -> Iterator[Snippet]:
        yield Snippet("client.properties", "\n".join(_stores(way)) + "\n")
        java = _java(facts, "wss4j-client")
        used = suite(way)
        text = java.text if way.request.has_encryption else _without_encryption(java.text)
        for usual, value in (
            ("WSConstants.RSA_SHA256", used.asymmetric_signatures[0]),
            ("WSConstants.SHA256", used.digests[0]),
            ("WSConstants.KEYTRANSPORT_RSAOAEP", used.key_transports[0].method),
            ("WSConstants.AES_256", used.encryptions[0]),
        ):
            if value != _CONSTANTS[usual]:
                text = text.replace(f"({usual})", f"({snippets.literal(value)})")
        yield Snippet(java.name, text)
        yield _run(facts, wsdl=False)

    return notes(), texts()


_CONSTANTS: Final = {
    "WSConstants.RSA_SHA256": alg.RSA_SHA256,
    "WSConstants.SHA256": alg.SHA256,
    "WSConstants.KEYTRANSPORT_RSAOAEP": alg.RSA_OAEP_MGF1P,
    "WSConstants.AES_256": alg.AES256_CBC,
}


def _without_encryption(text: str) -> str:
    before, _, after = text.partition("\n        WSSecEncrypt encryption")
    return before + after.partition("generateKey());\n")[2]


def _java(facts: Facts, name: str) -> Snippet:
    return Snippet(f"{snippets.client_class(facts)}.java", snippets.program(facts, name))


def _run(facts: Facts, *, wsdl: bool) -> Snippet:
    client = snippets.client_class(facts)
    address = f"{ADDRESS}?wsdl" if wsdl else ADDRESS
    text = f"javac -cp 'lib/*' {client}.java\njava -cp 'lib/*:.' {client} '{address}'\n"
    return Snippet("run.sh", text)
