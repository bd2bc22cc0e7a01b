"""Algorithms as table rows, and the operations of XML Signature and XML Encryption on bytes."""
