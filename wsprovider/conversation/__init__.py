"""WS-Trust and WS-SecureConversation: requests for security contexts, and what answers them."""
