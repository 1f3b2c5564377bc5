"""Error analysis: matched spans, confusion matrix, attribution and HTML report."""
