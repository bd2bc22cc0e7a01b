"""Name constraints of CA certificates (RFC 5280, section 4.2.1.10).

What comes in is a certificate below a constrained CA; what goes out is nothing, or a refusal. All
names count: the subject as a directory name, e-mail addresses in the subject, and each subject
alternative name. A form that cannot be judged here (otherName, registeredID ...) is refused as soon
as a constraint speaks of that form.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from wsprovider.keyring import names
from wsprovider.keyring.checks import extension
from wsprovider.keyring.material import Certificate
from wsprovider.words.errors import WSSecurityError
from wsprovider.words.reasons import Reason


def check_names(certificate: Certificate, constraints: Iterable[x509.NameConstraints]) -> None:
    """Refuse a certificate one of whose names the constraints above it do not allow.

    Raises:
        WSSecurityError: CERTIFICATE_PATH.
    """
    held: list[x509.GeneralName] | None = None
    for constraint in constraints:
        held = _names_of(certificate) if held is None else held
        for name in held:
            _check(name, constraint)


def _names_of(certificate: Certificate) -> list[x509.GeneralName]:
    subject = certificate.parsed.subject
    held: list[x509.GeneralName] = [x509.DirectoryName(subject)] if list(subject) else []
    for attribute in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        try:
            held.append(x509.RFC822Name(str(attribute.value)))
        except ValueError:  # not ASCII: no constraint can be shown to allow it
            raise WSSecurityError(Reason.CERTIFICATE_PATH, "e-mail address in subject") from None
    alternative = extension(certificate, x509.SubjectAlternativeName)
    return held + list(alternative or ())


def _check(name: x509.GeneralName, constraint: x509.NameConstraints) -> None:
    permitted = [one for one in constraint.permitted_subtrees or () if type(one) is type(name)]
    excluded = [one for one in constraint.excluded_subtrees or () if type(one) is type(name)]
    try:
        allowed = not permitted or any(_within(name, one) for one in permitted)
        if allowed and not any(_within(name, one) for one in excluded):
            return
    except ValueError as error:
        raise WSSecurityError(Reason.CERTIFICATE_PATH, f"name constraints: {error}") from None
    raise WSSecurityError(Reason.CERTIFICATE_PATH, f"name constraints forbid {name!r}")


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    """Whether the name lies in the subtree of the same form.

    Raises:
        ValueError: the form, or this name of it, cannot be judged.
    """
    match name, subtree:
        case x509.DirectoryName(value=held), x509.DirectoryName(value=base):
            prefix = names.key(base)
            return names.key(held)[: len(prefix)] == prefix
        case x509.DNSName(value=held), x509.DNSName(value=base):
            host, domain = held.casefold().rstrip("."), base.casefold().removeprefix(".")
            return not domain or host == domain or host.endswith(f".{domain}")
        case x509.RFC822Name(value=held), x509.RFC822Name(value=base):
            return _mailbox_within(held, base)
        case (
            x509.UniformResourceIdentifier(value=held),
            x509.UniformResourceIdentifier(value=base),
        ):
            return _host_within(_host(held), base)
        case x509.IPAddress(value=held), x509.IPAddress(value=base):
            return _address_within(held, base)
        case _:
            raise ValueError(f"the form {type(name).__name__} cannot be judged")


def _mailbox_within(mailbox: str, base: str) -> bool:
    local, at, host = mailbox.rpartition("@")
    if not at:
        raise ValueError("an e-mail address without '@'")
    base_local, base_at, base_host = base.rpartition("@")
    if base_at:  # one mailbox: the local part is case sensitive, the host is not
        return local == base_local and host.casefold() == base_host.casefold()
    return _host_within(host, base)


def _host_within(host: str, base: str) -> bool:
    # for mail and URIs a leading dot means "below", none means "this very host"
    host, base = host.casefold(), base.casefold()
    return host.endswith(base) and host != base if base.startswith(".") else host == base


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname
    if not host or host.replace(".", "").isdigit() or ":" in host:
        raise ValueError("a URI without a host name")
    return host


def _address_within(held: object, base: object) -> bool:
    if isinstance(base, ipaddress.IPv4Network | ipaddress.IPv6Network) and isinstance(
        held, ipaddress.IPv4Address | ipaddress.IPv6Address
    ):
        return held in base
    raise ValueError("an address range where an address belongs")
