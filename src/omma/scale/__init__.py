"""The same work over many machines."""
