"""What non-repudiation keeps: accepted requests and their replies, sealed, hash-chained, provable years later."""
