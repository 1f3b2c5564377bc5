"""Quizzes: a class labels the same examples without suggestions."""
