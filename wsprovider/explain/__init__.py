"""What became of one message, and why: what the policy demands, what was found and proven, what is missing.

The verdict is the engine's own, and everything beside it is for the operator alone: decided in
docs/decisions/0061-explaining-messages.md.
"""
