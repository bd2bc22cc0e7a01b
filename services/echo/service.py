"""The smallest service there is: it says what it was told. Served once per scenario, see service.toml."""

from spyne import ServiceBase, Unicode, rpc


class Echo(ServiceBase):
    """One operation, document/literal wrapped."""

    @rpc(Unicode, _returns=Unicode, _out_variable_name="text")
    def echo(ctx, text):
        """Return the text as it came."""
        return text
