"""Vocabulary of the standards: names, identifiers, reasons, errors and limits; no behaviour."""
