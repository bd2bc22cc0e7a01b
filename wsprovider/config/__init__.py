"""Configuration: TOML files into frozen values, every mistake of every file in one error."""
