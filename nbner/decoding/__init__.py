"""The decode room: search over the model's analyses, exact or with spaCy's beam.

`search` has what other rooms call; `constraints` what a person can fix.
"""
