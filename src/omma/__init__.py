"""omma: the whole life of a vision-language model in one house."""

__version__ = "0.1.0"
