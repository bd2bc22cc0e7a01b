"""Clients that read no policy: zeep, node-soap and gSOAP. What they can do is what the tests of ``docs/peers`` have shown."""

from collections.abc import Iterator
from typing import Final

from wsprovider.policy.model import Password
from wsprovider.policy.requirements import KeySource, Protection, Requirements, source_of
from wsprovider.server.pages import snippets
from wsprovider.server.pages.facts import ADDRESS, Facts
from wsprovider.server.pages.needs import plain, signs, suite, tickets
from wsprovider.server.pages.snippets import Snippet, literal
from wsprovider.words import algorithms as alg


def zeep_cannot(way: Requirements) -> str | None:
    """Why zeep cannot call under a policy."""
    return _cannot("zeep", way)


def node_soap_cannot(way: Requirements) -> str | None:
    """Why node-soap cannot call under a policy."""
    return _cannot("node-soap", way)


def _cannot(name: str, way: Requirements) -> str | None:
    request = way.request
    if way.conversation is not None or tickets(way):
        return f"{name} holds no conversations and has no Kerberos."
    if signs(request) and suite(way).asymmetric_signatures[0] != alg.RSA_SHA256:
        return f"{name} was not tried with signatures by SHA-1."
    if request.protection is Protection.TRANSPORT:
        return None
    if request.has_encryption or way.reply.has_encryption:
        return f"{name} encrypts nothing."
    if not plain(request) or request.usernames:
        return f"{name} signs with a key of its own only, and only Timestamp and Body."
    return None


def zeep(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What zeep needs."""

    def notes() -> Iterator[str]:
        yield "zeep passes over the policy in the WSDL; security.py says what it demands. pip install zeep[xmlsec]"
        if way.client_certificate:
            yield "The certificate for TLS is session.cert = (certificate file, key file)."

    def texts() -> Iterator[Snippet]:
        yield Snippet("security.py", snippets.template("zeep-security"))
        yield Snippet("client.py", "\n".join(_zeep_client(facts, way)) + "\n")

    return notes(), texts()


def _zeep_client(facts: Facts, way: Requirements) -> Iterator[str]:
    request = way.request
    asymmetric = request.protection is Protection.ASYMMETRIC
    parts, names = [], []
    if not asymmetric and request.timestamp:
        parts.append("Timestamp()")
        names.append("Timestamp")
    for one in request.usernames:
        digest = ", use_digest=True" if one.token.password is Password.HASH else ""
        parts.append(f'UsernameToken("your-user", "your-password"{digest})')
    own = '"client.key.pem", "client.cert.pem"'
    if any(source_of(one.token) is KeySource.ENCRYPTED_KEY for one in request.endorsing):
        parts.append(f"Endorsed({own})")
        names.insert(0, "Endorsed")
    if asymmetric:
        parts.append(f'Signed({own}, "service.cert.pem")')
        names.append("Signed")
    yield "import requests"
    yield from [f"from security import {', '.join(names)}"] if names else []
    yield "from zeep import Client, Transport"
    yield from ["from zeep.wsse.compose import Compose"] if len(parts) > 1 else []
    yield from ["from zeep.wsse.username import UsernameToken"] if request.usernames else []
    yield ""
    yield "session = requests.Session()"
    yield 'session.verify = "ca.pem"'
    yield "session.trust_env = False  # else REQUESTS_CA_BUNDLE in the environment wins over it"
    yield from ['session.cert = ("client.cert.pem", "client.key.pem")'] if way.client_certificate else []
    together = f"Compose([{', '.join(parts)}])" if len(parts) > 1 else parts[0] if parts else "None"
    yield f"wsse = {together}"
    yield f'client = Client("{ADDRESS}?wsdl", wsse=wsse, transport=Transport(session=session))'
    operation = snippets.first(facts)
    if operation is not None:
        values = ", ".join('"?"' for _ in operation.parameters)
        yield f"print(client.service[{literal(operation.name)}]({values}))"


def node_soap(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What node-soap needs."""
    request = way.request

    def notes() -> Iterator[str]:
        yield "node-soap passes over the policy in the WSDL; clients.mjs says what it demands. npm install soap axios"
        if way.client_certificate and request.usernames:
            yield "Give key and certificate for TLS to the agent in clients.mjs."
        yield "It does not look at the security of replies: where that matters, go over HTTPS."

    def texts() -> Iterator[Snippet]:
        yield Snippet("clients.mjs", snippets.template("node-soap-clients"))
        yield Snippet("client.mjs", "\n".join(_node_client(facts, way)) + "\n")

    return notes(), texts()


def _node_client(facts: Facts, way: Requirements) -> Iterator[str]:
    request = way.request
    start = f'"{ADDRESS}?wsdl", "ca.pem"'
    name, own = '"your-user", "your-password"', '"client.key.pem", "client.cert.pem"'
    if request.usernames and request.endorsing:
        function, values = "byBoth", f"{start}, {name}, {own}"
    elif request.usernames:
        digest = any(one.token.password is Password.HASH for one in request.usernames)
        function, values = (
            "byPassword",
            f'{start}, {name}, "{"PasswordDigest" if digest else "PasswordText"}"',
        )
    elif way.client_certificate:
        function, values = "byTlsCertificate", f"{start}, {own}"
    else:
        function, values = "byCertificate", f"{start}, {own}"
    yield f'import {{ {function} }} from "./clients.mjs";'
    yield ""
    yield f"const client = await {function}({values});"
    operation = snippets.first(facts)
    if operation is not None:
        given = ", ".join(f'{literal(one.name)}: "?"' for one in operation.parameters)
        yield f"const [reply] = await client[{literal(operation.name + 'Async')}]({{ {given} }});"
        yield "console.log(reply);"


def gsoap_cannot(way: Requirements) -> str | None:
    """Why gSOAP cannot call under a policy."""
    request, used = way.request, suite(way)
    if way.conversation is not None or tickets(way):
        return "gSOAP's plugin holds no conversations and has no Kerberos."
    if way.client_certificate:
        return "gSOAP was not tried with certificates in TLS."
    if signs(request) and used.asymmetric_signatures[0] != alg.RSA_SHA256:
        return "gSOAP was not tried with signatures by SHA-1."
    if request.protection is not Protection.TRANSPORT and (not plain(request) or request.usernames):
        return "gSOAP's plugin can only sign with a key of its own, and encrypt to the service's."
    if request.has_encryption and (used.key_transports[0].method, used.encryptions[0]) != _GSOAP_ENCRYPTS:
        return "gSOAP encrypts keys by RSA 1.5 only, which the suite of this endpoint has not with AES-256."
    return None


_GSOAP_ENCRYPTS: Final = (alg.RSA_15, alg.AES256_CBC)


def gsoap(facts: Facts, way: Requirements) -> tuple[Iterator[str], Iterator[Snippet]]:
    """What gSOAP needs."""
    request = way.request

    def notes() -> Iterator[str]:
        own = request.protection is Protection.ASYMMETRIC or bool(request.endorsing)
        digest = any(one.token.password is Password.HASH for one in request.usernames)
        steps = ["add_timestamp"]
        if request.usernames:
            steps.append(f"soap_wsse_add_UsernameToken{'Digest' if digest else 'Text'}")
        steps += ["sign"] if own else []
        steps += ["verify_reply"] if request.protection is Protection.ASYMMETRIC else []
        steps += ["encrypt"] if request.has_encryption else []
        yield f"Save the WSDL as service.wsdl, and write client.c, which includes secure.c and {facts.names.port}.nsmap."
        yield f"Before each call: {', '.join(steps)}."
        if request.protection is Protection.ASYMMETRIC:
            yield "After it: reply_is_signed; the plugin does not ask what was signed."
            yield "Two equal calls within one second are refused as a replay: the Timestamp is in whole seconds."

    def texts() -> Iterator[Snippet]:
        yield Snippet("secure.c", snippets.template("gsoap-secure"))
        yield Snippet("build.sh", snippets.template("gsoap-build"))

    return notes(), texts()
