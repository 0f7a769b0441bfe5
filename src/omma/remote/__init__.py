"""Models behind an address: what is sent there, what comes back, and what a server is known for."""
