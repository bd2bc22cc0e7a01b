"""The ``wsprovider`` command: one module a command."""
