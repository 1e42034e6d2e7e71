"""What text from outside may hold: a user's goal and profile, and what Gemini writes.

Each function is linear in the text, and looks at one character at a time.
"""

import unicodedata

NOT_TEXT = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, surrogate, private, unassigned, line and paragraph separator."""

KEPT_FORMATS = frozenset(
    # ZWNJ and ZWJ: Persian and the scripts of India need them, and emoji (a family) need ZWJ.
    "\u200c\u200d"
    # Arabic, Syriac and Kaithi signs that can be seen; most stand before a number.
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""Of the category Cf (format) these alone are kept. The others can't be seen: they turn the reading
order (U+202E), hide inside words (U+200B, U+FEFF) or spell hidden messages (the tags from U+E0000;
the flags of England, Scotland and Wales become black flags without them)."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Letters and symbols without ink: Hangul fillers, the empty braille cell, the null notehead."""

_SPACED = str.maketrans({"\t": " ", "\u2028": "\n", "\u2029": "\n"})


def without_formats(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) != "Cf" or c in KEPT_FORMATS)


def is_text(text: str) -> bool:
    return all(unicodedata.category(c) not in NOT_TEXT for c in text)


def looks_empty(text: str) -> bool:
    """Whether no letter, number, punctuation mark or symbol can be seen in it. Marks (accents,
    variation selectors) are nothing by themselves."""
    return not any(unicodedata.category(c)[0] in "LNPS" and c not in BLANK for c in text)


def cleaned(text: str) -> str:
    """Without what is no text, and without formats. Line feeds stay; line and paragraph separators
    become line feeds, tabs become spaces."""
    spaced = text.translate(_SPACED)
    return without_formats("".join(c for c in spaced if c == "\n" or is_text(c)))
