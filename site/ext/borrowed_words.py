"""Words that Sphinx and its extensions put into pages: our catalogue is asked first, then Sphinx's own.

Sphinx is translated into many languages, but not to the last word, and each word here has to be right beside ours.
"""
from __future__ import annotations

import gettext

from sphinx import locale
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import N_, _, set_language

WORDS = (
    N_("Link to this heading"), N_("Link to this image"), N_("Link to this table"), N_("Link to this code"),
    N_("Link to this term"), N_("Link to this definition"), N_("Link to this equation"),
    N_("Fig. %s"), N_("Table %s"), N_("Listing %s"), N_("Section %s"),
    N_("Attention"), N_("Caution"), N_("Danger"), N_("Error"), N_("Hint"), N_("Important"), N_("Note"), N_("See also"),
    N_("Tip"), N_("Warning"),
)
CELLS = (N_("Show the solution"), N_("Show code cell source"), N_("Show code cell content"), N_("Show code cell output"),
         N_("Show code cell outputs"))  # what folds a cell of a notebook


class Borrowed(gettext.NullTranslations):
    """Sphinx's catalogue with ours in front."""

    def gettext(self, message: str) -> str:
        ours = _(message) if message else message
        return ours if ours != message else super().gettext(message)


def setup(app: Sphinx) -> ExtensionMetadata:
    set_language(app.config.language)
    both = Borrowed()
    both.add_fallback(app.translator)
    app.translator = locale.translators["general", "sphinx"] = both
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
