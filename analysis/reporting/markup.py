"""Escape text from a study for Markdown and LaTeX."""

import re
import unicodedata
from itertools import pairwise

_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>|#~])")

_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
    "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
)  # fmt: skip


def _greek() -> dict[str, str]:
    """Return the commands of the Greek letters; Unicode calls λ `lamda`."""
    names = {name: name.lower().replace("lambda", "lamda") for name in _GREEK}
    sizes = {name: "CAPITAL" if name[0].isupper() else "SMALL" for name in _GREEK}
    return {unicodedata.lookup(f"GREEK {sizes[name]} LETTER {names[name]}"): f"$\\{name}$" for name in _GREEK}


_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    # Signs that the default font encoding prints as something else, or that begin a ligature or a babel shorthand.
    "<": r"$<$", ">": r"$>$", "|": r"$|$", '"': "{''}", "`": "`{}", "'": "'{}",
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "÷": r"$\div$", "≤": r"$\leq$", "≥": r"$\geq$",
    "≠": r"$\neq$", "≈": r"$\approx$", "∞": r"$\infty$", "→": r"$\rightarrow$", "←": r"$\leftarrow$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "⇅": r"$\uparrow\downarrow$", "√": r"$\surd$", "∈": r"$\in$",
    "∅": r"$\emptyset$",
    "†": r"$\dagger$", "‡": r"$\ddagger$", "°": r"$^{\circ}$", "²": "$^{2}$", "³": "$^{3}$", "¹": "$^{1}$",
    "–": "--", "—": "---", "…": r"\ldots{}", "‘": "`{}", "’": "'{}", "“": "{``}", "”": "{''}", "•": r"$\bullet$",
    "\N{NO-BREAK SPACE}": "~", "\N{NARROW NO-BREAK SPACE}": r"\,", "\N{THIN SPACE}": r"\,", "µ": r"$\mu$",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "§": r"\S{}", "¶": r"\P{}", "£": r"\pounds{}", "©": r"\copyright{}",
    **_greek(),
}  # fmt: skip
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`", "\N{COMBINING ACUTE ACCENT}": "'", "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~", "\N{COMBINING DIAERESIS}": '"', "\N{COMBINING MACRON}": "=", "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c", "\N{COMBINING RING ABOVE}": "r", "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING BREVE}": "u", "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
}  # fmt: skip


def escape_markdown(text: str) -> str:
    """Return text without markup, on one line, since a table row is a line."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", re.sub(r"\s*[\r\n]+\s*", " ", text))


def escape_latex(text: str) -> str:
    r"""Return LaTeX that prints a text, in ASCII, so that every engine and font encoding reads it.

    Known signs become commands, accented letters an accent and a letter (`\"{u}`), and any other sign its code point
    (`U+4E2D`). Line breaks and control characters become spaces.
    """
    line = unicodedata.normalize("NFC", re.sub(r"\s*[\r\n]+\s*", " ", text))
    # Two hyphens in a row would become a dash; real dashes come from the table.
    broken = ("{}" if sign == following == "-" else "" for sign, following in pairwise(f"{line} "))
    return "".join(map("".join, zip(map(_latex_sign, line), broken, strict=True)))


def _latex_sign(sign: str) -> str:
    if sign in _LATEX:
        return _LATEX[sign]
    if " " <= sign <= "~":
        return sign
    if unicodedata.category(sign).startswith("C") or sign.isspace():
        return " "
    parts = unicodedata.normalize("NFD", sign)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return f"U+{ord(sign):04X}"
