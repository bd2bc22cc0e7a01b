"""Key rings and trust from a folder of files: PEM, PKCS#12, TOML."""
