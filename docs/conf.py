"""Configuration of the documentation: ``sphinx-build -W -b html docs docs/_build/html``.

Nothing is fetched when a page is read: MathJax and its fonts are copied from an installed package,
and the theme carries its own fonts.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import semiindex

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"

project = "semiindex"
author = "semiindex developers"
copyright = author
version = release = semiindex.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
# Single backquotes in docstrings name objects of Python; those that Sphinx knows become links.
default_role = "py:obj"

# -- text and mathematics ------------------------------------------------------------------------
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 3
# Equations are numbered by section of the theory: (1.1), (1.2), ..., (3.1); {eq}`label` cites them.
numfig = True
math_numfig = True
numfig_secnum_depth = 1
math_eqref_format = "({number})"

# -- notebooks: outputs are not kept under version control; every build runs them -----------------
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_ipywidgets_js = {}

# -- API reference ---------------------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# -- pages -----------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"semiindex {version}"
html_static_path = ["_static"]
html_css_files = ["semiindex.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
mathjax_path = "mathjax/tex-chtml.js"
# Its context menu can switch on aids that MathJax would fetch from its own host.
mathjax3_config = {"options": {"enableMenu": False}}


def copy_notebooks(app: Sphinx, config: object) -> None:
    """Bring ``notebooks/*.ipynb`` under the documentation's folder, where Sphinx can see them."""
    target = HERE / "examples"
    wanted = {path.name: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    for stale in target.glob("*.ipynb"):
        if stale.name not in wanted:
            stale.unlink()
    for name, path in wanted.items():
        shutil.copy2(path, target / name)


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Put MathJax and its fonts beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    spec = find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise RuntimeError('MathJax is missing; install the documentation\'s packages: pip install ".[docs]"')
    source = Path(spec.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "tex-chtml.js", target)
    fonts = Path("output", "chtml", "fonts", "woff-v2")
    shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the two copies."""
    app.connect("config-inited", copy_notebooks)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True}
