"""The one local extension that `_config.yml` names; it loads all others. A new one is added to PARTS and nowhere else."""
from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

# In the order in which they are loaded; csp and page_check look at finished pages, so they come last.
PARTS = (
    "language", "borrowed_words", "untranslated", "chapter_numbers", "page_head", "math_static", "mermaid_static",
    "vega_static", "facts_role", "folded", "whole_words", "chapter_card", "predict", "systems", "questions", "sections",
    "terms", "answer_form", "progress", "licences", "launch", "lite_links", "live", "living_cluster", "play", "palette",
    "live_assets", "slim", "csp", "page_check",
)


def setup(app: Sphinx) -> ExtensionMetadata:
    for part in PARTS:
        app.setup_extension(part)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
