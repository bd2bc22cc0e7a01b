"""The server: a WSGI application in front of Spyne services, behind message security.

Importing this package makes Spyne importable on every Python that the project supports.
"""

from wsprovider.server.spyne_compat import install

install()
