# ruff: noqa: N805 - Spyne operations take ctx first
"""The WSDL of a conversation asks for WS-Addressing; that of any other endpoint does not."""

import pytest
from lxml import etree
from spyne import ServiceBase, Unicode, rpc

from tests.unit.server.plain import call
from wsprovider.policy.publish import published
from wsprovider.policy.read import read_policy
from wsprovider.scenarios.catalogue import SCENARIOS, find
from wsprovider.server.create import create_app
from wsprovider.server.declared import Service
from wsprovider.words import namespaces as ns

NUMBERS = [scenario.number for scenario in SCENARIOS if not scenario.needs.kerberos]
GET = {"REQUEST_METHOD": "GET", "QUERY_STRING": "wsdl", "CONTENT_LENGTH": None}


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode)
    def echo(ctx, text):
        return text


@pytest.fixture
def app(development_keys):
    endpoints = [{"path": f"/{number}", "scenario": number} for number in NUMBERS]
    settings = {"endpoint": endpoints, "trust": "clients", "users": "users.toml"}
    app = create_app([Service("echo", [Echo], settings)], keys=development_keys, shared="memory:")
    yield app
    app.close()


def test_each_policy_is_published_as_it_should_be(app):
    for number in NUMBERS:
        root = etree.fromstring(call(app, b"", PATH_INFO=f"/{number}", **GET).data)
        policy = root.find(f"{{{ns.WSP_200409}}}Policy")
        assert read_policy(etree.tostring(policy), where=number) == published(find(number).policy())
        assert len(root.findall(f".//{{{ns.WSAM}}}Addressing")) == find(number).needs.conversation
