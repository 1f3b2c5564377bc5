"""Append-only store of examples and answers, on SQLite or PostgreSQL."""
