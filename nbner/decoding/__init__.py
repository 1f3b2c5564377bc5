"""Decoding of the entity recognizer: k best analyses, probabilities, constraints, calibration.

An *analysis* (`nbner.types.Parse`) is one set of non-overlapping entities of a
text. Start with `api` for streams of texts and `lattice_view` for one text.
"""
