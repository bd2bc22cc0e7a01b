"""A message coming in: read, open, decrypt, close, collect evidence, judge."""
