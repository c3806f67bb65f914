"""Pictures of the built pages, to be looked at: ``.venv/bin/python tests/browser/take_pictures.py``.

Each page at the widths of a phone, a tablet and a desk, in light, dark, grey and as on paper, cut into strips that stand side
by side; into ``_build/pictures``. A change of a style is looked at in these before it is committed.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "site" / "build")]

import program  # noqa: E402
import serve  # noqa: E402

PAGES = ("book/index.html", "book/01-why-orchestrate.html", "book/05-backfill.html", "book/play.html", "book/glossary.html",
         "ja/book/01-why-orchestrate.html")
WIDTHS = (390, 768, 1440)
LOOKS = ("light", "dark", "grey", "print")


def main() -> None:
    parser = argparse.ArgumentParser(description="Take pictures of the built pages.")
    parser.add_argument("pages", nargs="*", default=PAGES, help="as paths in the site, book/04-priority-and-fair-share.html")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--looks", nargs="+", choices=LOOKS, default=LOOKS)
    parser.add_argument("--out", type=Path, default=program.ROOT / "_build" / "pictures")
    options = parser.parse_args()
    with serve.serving(program.built_site()) as base:
        for page in options.pages:
            found = program.run("pictures.mjs", base, pages=[page], widths=list(options.widths), looks=list(options.looks),
                                out=str(options.out))
            print("\n".join(found["files"]), flush=True)


if __name__ == "__main__":
    main()
