"""Names that lead elsewhere, that cannot be seen, or that are too long: the same list at every border."""

from __future__ import annotations

import unicodedata

OUTWARD = (
    *("..", ".", "../x", "a/../../b", "/etc/passwd", "a//b", "..\\x", "a\\..\\..\\b", "C:\\x", "C:x"),
    *("%2e%2e", "%2E%2E/x", "%252e%252e", "a/%2e%2e/b", "..%2fx", "%00", "a%0ab"),
)
UNSEEN = (
    *("a\nb", "a\rb", "a\tb", "a\x00b", "a\x1b[31mb", "a\x7fb", "a\x9bb", "a\u2028b", "a\u202egpj.exe"),
    *("a\u200bb", "\ufeffa", "a\u00adb", "a\u2066b", "a\ud800b"),
)
TOO_LONG = ("a" * 1000, "é" * 600)
PATHS = (*OUTWARD, *UNSEEN, *TOO_LONG, "")
"""What can be no path below a folder."""

NAMES = (
    *PATHS,
    *("a b", "a/b", "ä", "ａ", "-a", "_a", ".a", "a.", "a..b", "a'b", "a;b", "a$(b)", "a|b", "a*", "a?b", "a#b", "a%b"),
    *("<b>", "[a](b)", "a,b", "=1+1", "a&b", "~", "a" * 101),
)
"""What can be no name of a client, batch or shot."""

GOOD_PATHS = (
    "A1_MAIN.jpg",
    "details/Größe 2.tif",
    "front/SKU 12é.jpg",
    "日本/靴.png",
    "100% wool.jpg",
    "a b (2).tif",
    "x..jpg",
)
GOOD_NAMES = ("acme", "spring-24", "KTL301_MAIN", "a.b", "1", "A" * 100)

IN_LATIN = {
    "商品-红色_正面.jpg": "Shang-Pin--Hong-Se-_Zheng-Mian",
    unicodedata.normalize("NFD", "Größe 42.jpg"): "Grosse-42",
    "日本/靴.jpg": "Xue",
    "Кружка-1.jpg": "Kruzhka-1",
    "ฉลาก ใหม่.jpg": "chlaak-aihm",
    unicodedata.normalize("NFD", "한국어.jpg"): "hangugeo",
}
"""Photographs of other scripts and forms -> the name without its suffix in Latin letters."""
ANY_SCRIPT = (*IN_LATIN, "👟👟.jpg", "ex-20331.jpg", "100% lin.jpg")
"""File names of which no pattern for SKUs reads one."""
