"""The site's extensions are modules of a folder, as Sphinx loads them."""
from __future__ import annotations

import sys
from pathlib import Path

EXTENSIONS = Path(__file__).resolve().parents[2] / "site" / "ext"
if str(EXTENSIONS) not in sys.path:
    sys.path.insert(0, str(EXTENSIONS))
