"""Spans that the tokenizer cannot express, and rules that fix it."""
