# ruff: noqa: N805 - Spyne hands its operations ctx
"""A header block that must be understood: refused, unless the service declares it."""

import pytest
from lxml import etree
from spyne import Application, ComplexModel, ServiceBase, Unicode, rpc

from tests.simulator.world import ECHO, World
from wsprovider.server.interface import headers_of
from wsprovider.server.protocols import SecureSoap11
from wsprovider.words import namespaces as ns
from wsprovider.words.reasons import Reason


class Ticket(ComplexModel):
    __namespace__ = ECHO
    number = Unicode


class Shop(ServiceBase):
    @rpc(Unicode, _returns=Unicode, _in_header=(Ticket,))
    def echo(ctx, text):
        return text


def ticket(must_understand):
    block = etree.Element(f"{{{ECHO}}}Ticket", nsmap={"a": ECHO, "s": ns.SOAP11})
    block.set(f"{{{ns.SOAP11}}}mustUnderstand", must_understand)
    return block


def declared():
    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    return headers_of(Application([Shop], tns=ECHO, name="Shop", **protocols))


@pytest.mark.parametrize("number", ["3", "8"])
def test_understood_where_the_service_declares_it(number):
    world = World(number, understood=declared())
    world.accept(world.request(headers=[ticket("1")]).data)


@pytest.mark.parametrize("number", ["3", "8"])
def test_refused_where_nobody_does(number):
    world = World(number)
    assert world.refused(world.request(headers=[ticket("1")]).data).reason is Reason.NOT_UNDERSTOOD
    world.accept(world.request(headers=[ticket("0")]).data)
