"""How Sphinx makes the documents' site: `make docs`. The pages are the Markdown files as they lie in the repository."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from navigation import NAVIGATION  # noqa: E402

import packshot  # noqa: E402

project = "Packshot"
version = release = packshot.__version__
html_title = f"Packshot {release}"

extensions = ["myst_parser", "navigation", "sources", "offline"]
root_doc = "README"
include_patterns = [f"{page}.md" for pages in NAVIGATION.values() for page in pages] + ["README.md"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a short page may begin with small headings

html_theme = "furo"
html_theme_options = {
    "light_css_variables": {"font-stack": "system-ui, sans-serif", "color-brand-primary": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#7ab7ff"},
}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "index.html"}
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
