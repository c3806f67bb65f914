"""The content-security-policy: computed from the page, first in its head, and never looser than promised."""
from __future__ import annotations

import base64
import hashlib

from tests.site.small_book import csp

PAGE = '<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    {}\n  </head>\n  <body></body></html>'


def sha(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_hashes_are_those_of_the_scripts_byte_for_byte() -> None:
    scripts = ["let a = 1;\n  // <b>, &amp; and 日本\n", "let b = 2"]
    page = PAGE.format("".join(f"<script>{text}</script>" for text in scripts))
    assert csp.inline_scripts(page) == scripts
    protected = csp.protect(page)
    assert all(sha(text) in protected for text in scripts)


def test_files_and_data_need_no_hash() -> None:
    page = PAGE.format('<script src="x.js"></script><script type="application/json">{"a": 1}</script>'
                       '<script type="application/vnd.jupyter.widget-state+json">{}</script>')
    assert csp.inline_scripts(page) == []
    assert "sha256" not in csp.protect(page)


def test_a_module_is_a_script() -> None:
    assert csp.inline_scripts(PAGE.format('<script type="module">import "./x.js"</script>')) == ['import "./x.js"']


def test_it_comes_first_and_only_once() -> None:
    once = csp.protect(PAGE.format("<script>1</script>"))
    assert once.split("<head>", 1)[1].lstrip().startswith('<meta http-equiv="Content-Security-Policy"')
    assert csp.protect(once) == once
    changed = csp.protect(once.replace("<script>1</script>", "<script>2</script>"))
    assert sha("2") in changed and sha("1") not in changed


def test_what_it_allows() -> None:
    rules = dict(rule.split(" ", 1) for rule in csp.policy(["x"]).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'self' 'wasm-unsafe-eval' {sha('x')}"
    assert not any("http" in value or "*" in value for value in rules.values())
