"""Teaching: quizzes for a class, and a step-by-step trace of the recognizer."""
