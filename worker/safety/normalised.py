"""One spelling for many: how a goal and a phrase are written before they are compared."""

import re
import unicodedata

_INVISIBLE = ("Mn", "Me", "Cf")
"""Unicode categories that we drop: accents (after decomposition) and zero-width characters."""

_NO_DECOMPOSITION = str.maketrans(
    {"ø": "o", "æ": "a", "œ": "o", "ł": "l", "đ": "d", "ى": "ي", "ة": "ه", "ـ": ""}
)
"""Letters that Unicode doesn't take apart, and Arabic ones that people write for each other."""

_LEET = str.maketrans("013457@$", "oieastas")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_INSIDE_A_WORD = re.compile(r"(?<=\w)['’´`*]+(?=\w)")
_NO_WORD = re.compile(r"[\W_]+")
_SPELT_OUT = re.compile(r"\b\w(?: \w){2,}\b")
_WRITTEN_OUT = re.compile(r"([ao])e")
_REPEATED_LETTER = re.compile(r"([^\W\d_])\1+")


def normalised(text: str) -> str:
    """Words in lower case, one space apart, without accents, doubled letters and disguise.

    Å, ä and ö become a, a and o, and so do aa, ae and oe: people leave the dots out, and so do
    keyboards abroad.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    visible = "".join(sign for sign in decomposed if unicodedata.category(sign) not in _INVISIBLE)
    plain = _INSIDE_A_WORD.sub("", visible.translate(_NO_DECOMPOSITION))
    words = _NO_WORD.sub(" ", " ".join(_without_leet(word) for word in plain.split())).strip()
    joined = _SPELT_OUT.sub(lambda spelt: spelt[0].replace(" ", ""), words)
    return _REPEATED_LETTER.sub(r"\1", _WRITTEN_OUT.sub(r"\1", joined))


def _without_leet(word: str) -> str:
    """A word of digits only stays a number: "10 kms" is a run."""
    return word.translate(_LEET) if _HAS_LETTER.search(word) else word
