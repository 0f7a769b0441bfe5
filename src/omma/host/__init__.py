"""The processes behind a server: media are decoded in one kind, answers written in another."""
