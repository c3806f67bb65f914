"""The built site, as the tests of the site have it, and the folder's own modules."""
from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parent, *(Path(__file__).parents[2] / "site" / name for name in ("ext", "build"))):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from tests.site.conftest import site  # noqa: E402, F401
