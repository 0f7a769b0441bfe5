"""The server: OpenAI's HTTP form around a desk that answers. No torch, and no web framework but in app.py."""
