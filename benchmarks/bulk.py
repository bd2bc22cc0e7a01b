"""What the benchmark of worst messages serves: a text or XML of any form, and a short answer."""
# ruff: noqa: ANN001, ANN201, N805 - as in services/: Spyne calls with the types that @rpc states

from spyne import AnyXml, ServiceBase, Unicode, rpc


class Bulk(ServiceBase):
    """One operation; what it is given costs Spyne as little as can be."""

    @rpc(Unicode, AnyXml, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text, xml):
        """How much came."""
        return f"{len(text or '')} characters, {0 if xml is None else len(xml)} elements"
