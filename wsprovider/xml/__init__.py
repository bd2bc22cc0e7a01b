"""Trees and bytes: parsing, ids, canonical form and splicing; nothing of security."""
