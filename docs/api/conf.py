"""How scripts/docs makes pages of the guides, of the C++ headers and of the Python package."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_PACKAGE = ROOT / "python" / "neurontune"
sys.path[:0] = [str(Path(__file__).parent), str(PYTHON_PACKAGE.parent)]

project = "NeuronTune"
version = release = re.search(r"project\(neurontune VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
copyright = "the NeuronTune authors"

extensions = ["breathe", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary",
              "sphinx.ext.napoleon", "sphinx.ext.viewcode", "header", "mathml"]
root_doc = "index"
exclude_patterns = ["README.md"]

# The C++ reference: the XML that Doxygen wrote; scripts/docs says where.
breathe_default_project = "neurontune"
breathe_default_members = ("members",)
breathe_show_include = False
cpp_index_common_prefix = ["neurontune::"]
cpp_id_attributes = ["NEURONTUNE_EXPORT"]

# The Python reference needs neither the extension nor any framework.
autodoc_mock_imports = ["jax", "flax", "matplotlib", "neurontune._core", "numpy", "pandas", "safetensors", "scipy",
                        "sklearn", "timm", "torch", "transformers"]
autodoc_typehints = "description"
napoleon_google_docstring = False
napoleon_use_ivar = True

# The guides are written for GitHub: its math, its headings as link targets.
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
# Links to source files lead nowhere from here, and stay text.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
html_math_renderer = "mathml"

html_theme = "furo"
html_title = f"NeuronTune {release}"
html_copy_source = False
html_show_sourcelink = False


def setup(app):
    from pygments.lexers.special import TextLexer
    app.add_lexer("mermaid", TextLexer)  # shown as it is written
