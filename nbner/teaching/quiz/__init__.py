"""Quizzes: students annotate the same examples without suggestions and are scored against gold."""
