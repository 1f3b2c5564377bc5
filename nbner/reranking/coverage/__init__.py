"""Sets of analyses and of spans with a guarantee: conformal prediction over exact lists."""
