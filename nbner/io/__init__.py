"""File formats and the checks that rows pass before they are stored."""
