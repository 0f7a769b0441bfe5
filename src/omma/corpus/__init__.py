"""Data that people bring: every file form read as one kind of record, mixed by weights, looked through."""
