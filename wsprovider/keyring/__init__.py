"""Keys and certificates: rings by purpose, trust, and what names a certificate."""
