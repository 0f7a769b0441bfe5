"""What a model takes, before it is had: parameters, memory, and machines that hold it."""
