"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "Winnow"
author = "The Winnow founders"
copyright = "The Winnow founders"  # noqa: A001 (Sphinx wants this name)
release = installed_version("winnow")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Winnow {release}"
# The pages work without the network, like everything else.
html_static_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
# Sphinx writes these itself; repeating the type in the text would only blur it.
python_use_unqualified_type_names = True
