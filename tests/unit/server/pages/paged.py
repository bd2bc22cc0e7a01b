"""Pages of any policy without a server: facts of an echo service, and what stands in the finished HTML."""

import re
from dataclasses import dataclass
from pathlib import Path

from lxml import etree
from spyne import Application, ServiceBase, Unicode, rpc

from wsprovider.config.model import EndpointConfig
from wsprovider.policy.compile import compile_assigned
from wsprovider.policy.model import Policy
from wsprovider.policy.read import read_policy
from wsprovider.server import wsdl
from wsprovider.server.invoker import Invoker
from wsprovider.server.pages.facts import Facts, facts_of
from wsprovider.server.pages.page import page
from wsprovider.server.protocols import SecureSoap11

ROOT = Path(__file__).resolve().parents[4]
DOCUMENTS = sorted((ROOT / "services" / "echo" / "policies").glob("*.xml"))
NAMESPACE = "urn:wsprovider:echo"


class Echo(ServiceBase):
    @rpc(Unicode, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text):  # noqa: N805
        """Return the text as it came."""
        return text


def facts(
    policy: Policy,
    *,
    services=(Echo,),
    tns=NAMESPACE,
    name="Echo",
    scenario=None,
    assigned=None,
) -> Facts:
    """An endpoint's facts."""
    protocols = {"in_protocol": SecureSoap11(), "out_protocol": SecureSoap11()}
    invoker = Invoker(Application(services, tns=tns, name=name, **protocols))
    application, operations = invoker.application, invoker.operations
    document = wsdl.build(application, operations, path="/echo", bases=wsdl.BaseUrls(), attach=None)
    config = EndpointConfig("tested", "/echo", policy, scenario, assigned=assigned)
    one_way = {one.name: one.one_way for one in operations.values()}
    ways = compile_assigned(config.policies, one_way, "tested")
    return facts_of("echo/tested", config, ways, application, operations, document)


def document(path: Path) -> Policy:
    """A policy document of the echo service."""
    return read_policy(path.read_bytes(), where=path.name)


@dataclass
class Html:
    """A finished page; it is well-formed as XML."""

    root: etree._Element

    @classmethod
    def of(cls, told: Facts | bytes, certificates=()) -> "Html":
        data = told if isinstance(told, bytes) else page(told, certificates).encode()
        return cls(etree.fromstring(data.partition(b"\n")[2]))

    @property
    def text(self) -> str:
        """What can be read, style and script left out."""
        for element in self.root.xpath("//*[self::style or self::script]"):
            element.text = ""
        return " ".join("".join(self.root.itertext()).split())

    def snippets(self) -> dict[str, dict[str, str]]:
        """By client: its texts by the names of their files."""
        found = {}
        for details in self.root.iter("details"):
            texts = {
                one.findtext("div/span"): one.findtext("pre")
                for one in details.iter("div")
                if one.get("class") == "snippet"
            }
            found[details.findtext("summary")] = texts
        return found

    def cannot(self) -> dict[str, str]:
        """By client: why it has no configuration here."""
        told = self.root.xpath("//p[@class='not']")
        return {one.findtext("strong"): re.sub(r"^: ", "", one[0].tail) for one in told}
