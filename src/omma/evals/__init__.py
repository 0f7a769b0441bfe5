"""Judges a responder: committed suites of questions, a mark for every answer, chance beside every figure."""
