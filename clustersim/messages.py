"""Text for people, ready for translation.

Every string that a reader sees passes through ``_`` (or ``ngettext``), marked where it is written and translated when
it is used. Catalogues are the standard library's gettext ``.mo`` files under ``clustersim/locale``; with none present
the English text is returned. ``CLUSTERSIM_LANGUAGE=ja`` chooses the language of a process; pages and notebooks call
:func:`set_language`.
"""
from __future__ import annotations

import gettext
import os
from pathlib import Path

DOMAIN = "clustersim"
VARIABLE = "CLUSTERSIM_LANGUAGE"
_LOCALE_DIR = Path(__file__).with_name("locale")
_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def set_language(language: str | None) -> None:
    """Use the catalogue of ``language`` (``"ja"``); ``None`` or an unknown one gives English."""
    global _catalogue
    languages = [language.replace("-", "_")] if language else []  # pages write zh-TW
    _catalogue = gettext.translation(DOMAIN, _LOCALE_DIR, languages, fallback=True) if languages else gettext.NullTranslations()


def _(text: str) -> str:
    """The translation of ``text``, or ``text``; a catalogue's own header answers to the empty one."""
    return _catalogue.gettext(text) if text else text


def ngettext(one: str, many: str, n: int) -> str:
    """The translation of ``one`` or ``many``, as the language counts ``n``."""
    return _catalogue.ngettext(one, many, n)


def N_(text: str) -> str:
    """Mark ``text`` for extraction without translating it yet (for constants made at import)."""
    return text


set_language(os.environ.get(VARIABLE))
