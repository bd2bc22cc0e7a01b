"""WS-SecurityPolicy as values: the one model that reads, writes, and decides what is enforced."""
