"""Sphinx's configuration of the site; ``python tutorials/build.py --site FOLDER`` copies it next to the pages."""

import cfc_ref

project = "cfc_ref"
author = "The cfc-ref developers"
copyright = "the cfc-ref developers, Apache-2.0"  # noqa: A001
version = release = cfc_ref.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_design",
]
exclude_patterns = ["included", "tutorials/solutions"]

nb_execution_mode = "off"  # what is stored is shown
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

numpydoc_show_class_members = False
numpydoc_xref_param_type = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings name types and shapes
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "cfc_ref"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
mathjax_path = "tex-svg-full.js"  # bundled: formulas need no network


def without_aliases(app, what, name, found, skip, options):
    """Leave out the fields of named tuples, which say no more than their number."""
    return True if "Alias for field number" in (getattr(found, "__doc__", None) or "") else None


def setup(app):
    """Connect it."""
    app.connect("autodoc-skip-member", without_aliases)
