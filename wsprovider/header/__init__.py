"""The children of wsse:Security: one module each, to read and to write its element."""
