"""Configuration of the documentation site: ``make docs`` builds it into ``site/``.

Sphinx with MyST, because the docstrings are numpydoc, which `sphinx.ext.napoleon` reads,
because MyST-NB executes the notebooks while it builds, and because pages may be Markdown
that a code host shows as well. Nothing is fetched: neither while building, nor by the pages.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

from nbner import __version__  # noqa: E402

project = "nbner"
author = "the nbner developers"
copyright = author  # noqa: A001
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build"]

# The reference.
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # docstrings have the types, in words
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
default_role = "code"  # names between single backquotes in docstrings

# Pages and notebooks.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = os.environ.get("NBNER_DOCS_EXECUTE", "cache")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_in_temp = True  # what they write is removed
nb_execution_excludepatterns = generate.NEEDS_A_SERVER
nb_ipywidgets_js = {}  # widgets are shown as plain HTML, which they bring; no script from elsewhere
nb_merge_streams = True
# A widget is shown as its HTML; one without, a progress bar, not at all: its text is how it began.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", 35)]
suppress_warnings = ["mystnb.unknown_mime_type"]

# The look.
html_theme = "pydata_sphinx_theme"
html_title = "nbner"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "show_nav_level": 1,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "show_prev_next": True,
}
html_sidebars = {"index": []}


# Sphinx looks for pages after it has read this file.
generate.write_pages(HERE)
