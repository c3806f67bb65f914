"""Make the simulator's own sentences come out in the book's language (`sphinx.config.language`)."""
from __future__ import annotations

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import set_language


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("config-inited", lambda _app, config: set_language(config.language))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
