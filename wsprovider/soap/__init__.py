"""SOAP 1.1 and 1.2: envelope, addressing, faults."""
