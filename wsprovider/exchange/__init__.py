"""The core's public face: one message in, one reply out, for the recipient and the initiator."""
