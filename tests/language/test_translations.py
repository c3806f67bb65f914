"""Translations: complete where a page is listed as finished, whole in form, and in the pages."""
from __future__ import annotations

import json
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

for folder in ("ext", "build"):
    if str(ROOT / "site" / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / "site" / folder))

import catalogues  # noqa: E402
import language  # noqa: E402
import page_check  # noqa: E402
import translate  # noqa: E402
import visible  # noqa: E402
import yaml  # noqa: E402
from babel.messages.catalog import Catalog, Message  # noqa: E402
from language import Language  # noqa: E402

from clustersim.checks import exercises  # noqa: E402

LANGUAGES = language.languages()
each_language = pytest.mark.parametrize("which", LANGUAGES.values(), ids=list(LANGUAGES))


def files(which: Language) -> dict[str, Catalog]:
    """Every catalogue of a language by the name of what it translates."""
    paths = {"program": catalogues.program_path(ROOT, which.code)}
    paths |= {page: catalogues.page_path(ROOT, which.code, page) for page in catalogues.begun(ROOT, which)}
    return {name: catalogues.read(path, which.code) for name, path in paths.items()}


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def strings(message: Message) -> tuple[list[str], list[str]]:
    """The originals and the translations of a message."""
    return ([message.id] if isinstance(message.id, str) else list(message.id),
            [message.string] if isinstance(message.string, str) else list(message.string))


@each_language
def test_the_report_names_what_is_missing(which: Language, capsys: pytest.CaptureFixture[str]) -> None:
    lines = list(translate.report(ROOT, which))
    heads = [line for line in lines if not line.startswith(" ")]
    assert len(heads) == 1 + len(catalogues.begun(ROOT, which)) and all(which.code in line for line in heads)
    print("\n".join(lines))


def test_the_report_sees_a_hole(tmp_path: Path) -> None:
    page = Language("ja", "日本語", ("book/a",), ("x",))
    catalogue = Catalog(locale="ja")
    catalogue.add("one", "一")
    catalogue.add("two", "")
    catalogue.add("three", "三", flags=["fuzzy"])
    catalogues.put(catalogues.page_path(tmp_path, "ja", "book/a"), catalogues.text(catalogue, "a").encode())
    lines = list(translate.report(tmp_path, page))
    assert "ja  book/a: 1 of 3 messages translated  (listed as finished)" in lines
    assert "      missing: two" in lines and "      fuzzy: three" in lines


@each_language
def test_what_finished_pages_show_of_the_program_is_translated(which: Language) -> None:
    wanted = {message.id for message in messages(translate.program_template(ROOT, which.program))}
    held = {message.id: message for message in messages(files(which)["program"])}
    assert len(wanted) > 100
    assert sorted(map(str, wanted - held.keys())) == [], "run `make messages`, then translate them"
    assert [message.id for message in held.values() if translate.is_open(message)] == []
    assert sorted(map(str, held.keys() - wanted)) == [], "run `make messages`: these are no longer there"


@each_language
@pytest.mark.site
def test_finished_pages_are_translated_to_the_last_message(site: Path, which: Language) -> None:
    report = json.loads((ROOT / "_build" / f"translation-{which.code}.json").read_text("utf-8"))
    assert set(report) == set(which.pages)
    for page, found in report.items():
        assert found["messages"] >= 10 and found["missing"] == [], f"{page}: run `make messages`, then translate"
        assert found["stale"] == [], f"{page}: run `make messages`"


@each_language
def test_nothing_is_guessed_or_left_over(which: Language) -> None:
    for name, catalogue in files(which).items():
        assert [message.id for message in messages(catalogue) if message.fuzzy and name in which.pages] == [], name
        assert list(catalogue.obsolete) == [], name


def fields(text: str) -> set[str]:
    return {field for _text, field, _spec, _conversion in string.Formatter().parse(text) if field is not None}


@each_language
def test_translations_keep_the_fields(which: Language) -> None:
    for message in messages(files(which)["program"]):
        originals, translations = strings(message)
        for text in filter(None, translations):
            if "python-brace-format" in message.flags:
                assert fields(text) == fields(originals[0]), message.id


ROLE = re.compile(r"\{[\w:-]+\}`[^`]*`")
KEPT = (re.compile(r"\{(fact|ref|numref|doc)\}`([^`<]*)`"), re.compile(r"\]\(([^)]*)\)"))


def kept(text: str) -> list[list[object]]:
    """What a translation takes over as it is: roles, targets of links, code."""
    return [*(sorted(pattern.findall(text)) for pattern in KEPT), sorted(re.findall(r"`[^`]+`", ROLE.sub("", text)))]


@each_language
def test_translations_keep_facts_links_and_code(which: Language) -> None:
    for name, catalogue in files(which).items():
        for message in messages(catalogue) if name != "program" else []:
            originals, translations = strings(message)
            assert not translations[0] or kept(originals[0]) == kept(translations[0]), message.id


@each_language
def test_the_compiled_catalogue_is_that_of_the_source(which: Language) -> None:
    path = catalogues.program_path(ROOT, which.code)
    assert path.with_suffix(".mo").read_bytes() == catalogues.compiled(catalogues.read(path, which.code)), "run `make messages`"


def test_messages_are_found_wherever_they_stand() -> None:
    source = 'x = _("a" "b")\ny = f"<p>{escape(_(\'c\'))}</p>"\nz = ngettext("one", "many", n)\n_(x)\nN_("d")\n'
    assert translate.python_messages(source) == ["ab", "c", ("one", "many"), "d"]


# --- the pages -------------------------------------------------------------------------------------------------------

def edition_pages(site: Path, which: Language) -> Iterator[tuple[str, str]]:
    for page in which.pages:
        yield page, (site / which.code / f"{page}.html").read_text("utf-8")


NAMES = [option for item in exercises(1) for option in item.options]  # typed as they are in every language


@each_language
@pytest.mark.site
def test_no_english_sentence_is_left_in_a_finished_page(site: Path, which: Language) -> None:
    """Three English words in a row are a sentence that was forgotten."""
    for page, text in edition_pages(site, which):
        for name in NAMES:
            text = text.replace(name, "")
        found = visible.seen(text, english=False)
        assert len(found) > 50
        assert [sentence[0] for part in found for sentence in visible.SENTENCE.finditer(part)] == [], page


@each_language
@pytest.mark.site
def test_each_page_leads_to_itself_in_the_other_language(site: Path, which: Language) -> None:
    for page, text in edition_pages(site, which):
        english = (site / f"{page}.html").read_text("utf-8")
        assert f'<html lang="{which.tag}"' in text and '<html lang="en"' in english
        back = re.search(r'<a lang="en" hreflang="en" href="([^"]+)">English</a>', text)
        assert back is not None
        assert ((site / which.code / page).parent / back[1]).resolve() == (site / f"{page}.html").resolve()
        other = re.search(rf'<a lang="{which.tag}" hreflang="{which.tag}" href="([^"]+)">{which.name}</a>', english)
        assert other is not None
        assert ((site / page).parent / other[1]).resolve() == (site / which.code / f"{page}.html").resolve()


def test_search_engines_are_told_whole_addresses_or_none() -> None:
    found = [{"code": "en", "href": "../book/index.html", "same": True},
             {"code": "ja", "href": "../ja/book/index.html", "same": True}]
    whole = [("en", "https://example.org/b/book/index.html"), ("ja", "https://example.org/b/ja/book/index.html")]
    assert language.alternates(found, "../", "https://example.org/b/") == whole
    assert language.alternates(found, "../", "") == []
    assert language.alternates([found[0], {**found[1], "same": False}], "../", "https://example.org/b/") == []


@each_language
@pytest.mark.site
def test_a_page_that_is_not_translated_leads_to_the_first_page_and_says_so(site: Path, which: Language) -> None:
    toc = page_check.toc_pages(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
    page = next(page for page in toc if page not in which.pages)
    text = (site / f"{page}.html").read_text("utf-8")
    link = re.search(rf'<a lang="{which.tag}"[^>]*href="([^"]+)" title="[^"]+">{which.name}</a>', text)
    assert link is not None
    assert ((site / page).parent / link[1]).resolve() == (site / which.code / f"{which.pages[0]}.html").resolve()
    assert not (site / which.code / f"{page}.html").exists()


@each_language
@pytest.mark.site
def test_links_out_of_an_edition_say_that_they_are_english(site: Path, which: Language) -> None:
    for page, text in edition_pages(site, which):
        away = re.findall(r'<a [^>]*href="\.\./\.\./(?:book|notebooks)/[^>]*>', text)
        assert away and all('hreflang="en"' in link for link in away), page
        own = re.findall(rf'<a [^>]*href="[^"]*path={which.code}/[^>]*>', text)
        assert not any("hreflang" in link for link in own), page


@each_language
@pytest.mark.site
def test_an_edition_ships_no_second_copy_of_scripts(site: Path, which: Language) -> None:
    names = {path.name for path in (site / which.code).iterdir()}
    assert names == {"index.html", "search.html", "pagefind", *(page.split("/")[0] for page in which.pages)}
