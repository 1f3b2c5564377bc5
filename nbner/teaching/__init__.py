"""Quizzes for a class, and the trace of the parser."""
