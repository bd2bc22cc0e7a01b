"""What an endpoint is made of beside keys and stores: the same for whoever serves it or explains its messages."""

import re
from datetime import timedelta
from typing import Any

from spyne import Application

from wsprovider.config.model import EndpointConfig, ServiceConfig
from wsprovider.exchange.settings import KerberosSettings, RecipientSettings
from wsprovider.inbound.context import SecondOpinion
from wsprovider.server.interface import headers_of
from wsprovider.server.invoker import Invoker
from wsprovider.server.protocols import SecureSoap11


def application_of(service: ServiceConfig) -> Any:
    """The Spyne application of a service's classes."""
    name = _wsdl_name(service.name)
    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    return Application(service.service_classes, tns=service.namespace, name=name, **protocols)


def settings_of(
    service: str,
    config: EndpointConfig,
    invoker: Invoker,
    *,
    kerberos: KerberosSettings,
    public: str | None,
    remember: timedelta,
) -> RecipientSettings:
    """What the message layer is told of an endpoint.

    Args:
        service: its name.
        kerberos: with the realms of our own keys, where the endpoint names none.
        public: base URL that it is reached by from outside.
        remember: how long accepted messages are remembered at least.
    """
    return RecipientSettings(
        name=config.name_for(service),
        operations=invoker.operations,
        path=config.path,
        understood=headers_of(invoker.application),
        roles=config.roles,
        partners_required=config.partners_required,
        freshness=config.freshness,
        limits=config.limits,
        conversation=config.conversation,
        kerberos=kerberos,
        clear_password_over_http=config.clear_password_over_http,
        sender_fault_400=config.sender_fault_400,
        addresses=(f"{public}{config.path}",) if public else (),
        crosscheck=config.crosscheck,
        remember=remember,
    )


def second_engine() -> SecondOpinion:
    """The engine of ``crosscheck = "xmlsec"``, an extra that need not be installed otherwise."""
    from wsprovider.crypto.crosscheck import XmlsecOpinion  # noqa: PLC0415 - see above

    return XmlsecOpinion()


def _wsdl_name(name: str) -> str:
    """``order-desk`` as WSDL likes it: ``OrderDesk``."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return joined if joined[:1].isalpha() else f"Service{joined}"
