"""Step-by-step trace of the transition-based recognizer, with its viewer."""
