"""Kerberos over MIT's GSS-API (the extra ``wsprovider[kerberos]``): our service's keys, and a client's tickets."""

from wsprovider.adapters.kerberos.acceptor import KeytabAcceptor, password_acceptor
from wsprovider.adapters.kerberos.gss import use_krb5_conf
from wsprovider.adapters.kerberos.passwords import named_password
from wsprovider.adapters.kerberos.source import Tickets, by_cache, by_keytab, by_password

__all__ = [
    "KeytabAcceptor",
    "Tickets",
    "by_cache",
    "by_keytab",
    "by_password",
    "named_password",
    "password_acceptor",
    "use_krb5_conf",
]
