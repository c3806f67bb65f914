"""The notebooks in the browser: the built site and the browser as in tests/browser."""
from __future__ import annotations

import sys
from pathlib import Path

from tests.browser.conftest import base, check, site
from tests.conftest import ROOT

for folder in ("ext", "build"):
    if str(ROOT / "site" / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / "site" / folder))

__all__ = ["HERE", "base", "check", "site"]
HERE = Path(__file__).resolve().parent
