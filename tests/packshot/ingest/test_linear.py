"""Whatever meets outside bytes takes time in proportion to them. Work is counted, at n and at 4n."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import packshot
import tasks
from packshot.errors import PackshotError
from packshot.formats.blocks import read_resources, split_blocks
from packshot.formats.boxes import boxes
from packshot.formats.container import DamagedError
from packshot.formats.headers import read_container
from packshot.formats.iptc import read_iptc
from packshot.formats.sniff import FileKind, detect
from packshot.formats.xmp import read_xmp
from packshot.ingest.manifest import read_manifest
from packshot.paths.read import read_paths
from packshot.paths.records import decode_records
from packshot.returned.layers import layer_mattes
from tests.packshot.ingest.backtracking import Counter, TooManyStepsError, worst_cases

_N = 24
_GROWTH = 4 * 1.5
_MOST_STEPS = 60_000
_CALLS = {"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
_FROM_CONFIGS = {"pattern", "image_reasons", "'|'.join((re.escape(word) for word in image_reasons)) or '(?!)'"}
"""Patterns that a studio writes into its configs; the process that meets a file with them is killed at its deadline."""


_RUN_BY_ALEMBIC = "tasks.index.migrations.env"
"""A script that only Alembic can run; it has no patterns."""


def _modules() -> Iterator[str]:
    for package in (packshot, tasks):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name != _RUN_BY_ALEMBIC:
                yield found.name


def _patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Every pattern in the code: (where, compiled, whether it is looked for at every place)."""
    for name in _modules():
        module = importlib.import_module(name)
        text = Path(str(module.__file__)).read_text()
        for call in ast.walk(ast.parse(text)):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _CALLS):
                continue
            if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "re") or not call.args:
                continue
            written = ast.unparse(call.args[0])
            if written in _FROM_CONFIGS:
                continue
            flags = next((word.value for word in call.keywords if word.arg == "flags"), None)
            if call.func.attr == "compile" and len(call.args) > 1:
                flags = call.args[1]
            known = {**vars(module), "re": re}
            pattern = eval(written, known)
            compiled = pattern if isinstance(pattern, re.Pattern) else re.compile(pattern, _flags(flags, known))
            yield f"{name}:{call.lineno}", compiled, _is_looked_for(call, compiled, vars(module), text)


def _is_looked_for(call: ast.Call, compiled: re.Pattern[Any], known: dict[str, Any], text: str) -> bool:
    """Whether a pattern is tried at every place of a text: not, if its module only ever matches with it."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("match", "fullmatch"):
        return False
    names = [name for name, value in known.items() if value is compiled or value == compiled]
    uses = {use for name in names for use in re.findall(rf"\b{name}\.(\w+)\(", text)}
    return not uses or not uses <= {"match", "fullmatch"}


def _flags(written: ast.expr | None, known: dict[str, Any]) -> int:
    return int(eval(ast.unparse(written), known)) if written is not None else 0


def _steps(pattern: re.Pattern[Any], text: Any, *, everywhere: bool) -> int:
    try:
        return Counter(pattern, text, most=_MOST_STEPS).search(everywhere=everywhere)
    except TooManyStepsError:
        return _MOST_STEPS


def _is_linear(pattern: re.Pattern[Any], *, everywhere: bool) -> bool:
    for short, long in zip(worst_cases(pattern, _N), worst_cases(pattern, 4 * _N), strict=True):
        few, many = (_steps(pattern, text, everywhere=everywhere) for text in (short, long))
        if many > _GROWTH * few + 200:
            return False
    return True


def test_every_pattern_is_linear_in_what_it_looks_at():
    found = list(_patterns())
    assert len(found) > 40
    assert [where for where, pattern, everywhere in found if not _is_linear(pattern, everywhere=everywhere)] == []


@pytest.mark.parametrize("pattern", [rb"^P[1-7]\s+(#[^\n]*\s+)*(\d|WIDTH)", rb"<(a|b)>.*</\1\s*>", rb"\s+\d"])
def test_the_count_finds_patterns_that_are_not(pattern):
    assert not _is_linear(re.compile(pattern, re.DOTALL), everywhere=True)


class CountedBytes(bytes):
    """Bytes that count how many of them are copied or looked through."""

    looked_at = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        if isinstance(part, bytes):
            CountedBytes.looked_at += len(part)
            return CountedBytes(part)
        return part

    def find(self, *args):
        at = super().find(*args)
        start = args[1] if len(args) > 1 else 0
        CountedBytes.looked_at += (at if at >= 0 else len(self)) - start
        return at

    def rfind(self, *args):
        at = super().rfind(*args)
        end = args[2] if len(args) > 2 else len(self)
        CountedBytes.looked_at += end - max(at, 0)
        return at


def _work(function: Callable[[bytes], object], data: bytes) -> int:
    """Lines of Python that run, and bytes copied or looked through, by the thousand."""
    lines = 0

    def trace(frame, event, argument):
        nonlocal lines
        lines += 1
        return trace

    CountedBytes.looked_at = 0
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(CountedBytes(data))
    except (PackshotError, DamagedError):
        pass
    finally:
        sys.settrace(before)
    return lines + CountedBytes.looked_at // 1000


def _xmp(body: str) -> bytes:
    names = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF {names}>{body}</rdf:RDF></x:xmpmeta>".encode()


def _nested(name: str, n: int) -> bytes:
    return _xmp(f"<{name}>" * n + "<rdf:li>a</rdf:li>" * n + f"</{name}>" * n)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + chunks + _chunk(b"IEND", b"")


def _tiff_of_overlapping_directories(n: int) -> bytes:
    """Directories of 512 entries each, four bytes apart, each naming the next."""
    width = 2 + 512 * 12
    data = bytearray(b"II*\0\x08\0\0\0" + b"\0\2\0\0" * (n + width // 4 + 8))
    for one in range(n):
        struct.pack_into("<I", data, 8 + 4 * one + width, 8 + 4 * (one + 1))
    return bytes(data)


def _tiff_of_long_tags(n: int) -> bytes:
    """Eight directories, whose sub-images are many and whose first values are the first of many."""
    entries = [(259, 3, n), (262, 3, n), (330, 4, n)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one, 200) for one in entries)
    return b"II*\0\x08\0\0\0" + body + bytes(200) + bytes(4 * n)


def _psd(layers: bytes, count: int) -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(8)
    inside = struct.pack(">h", count) + layers
    return head + struct.pack(">II", len(inside) + 4, len(inside)) + inside


def _layers_that_claim_all(n: int) -> bytes:
    """Each layer's block says that it goes on to the end of the file."""
    block = b"8BIMvmsk" + struct.pack(">I", 0x7FFFFFFF)
    extra = struct.pack(">II", 0, 0) + bytes(4) + block
    record = struct.pack(">4iH", 0, 0, 8, 8, 0) + b"8BIMnorm\xff\0\0\0" + struct.pack(">I", len(extra)) + extra
    return _psd(record * n + bytes(200 * n), n)


def _wide_manifest(n: int) -> bytes:
    return ("file," + ",".join(f"c{one}" for one in range(n)) + "\n" + "a\n" * 3).encode()


def _path_segments(n: int) -> bytes:
    text = zlib.compress(bytes(100_000))
    return _png(_chunk(b"zTXt", b"Raw profile type 8bim\0\0" + text) * n)


_SCANNERS: dict[str, tuple[Callable[[bytes], object], Callable[[int], bytes]]] = {
    "words of a portable anymap": (detect, lambda n: b"P1 " + b"# " * n),
    "start tags of XMP": (read_xmp, lambda n: b"<x:xmpmeta " * n + b"</x:xmpmeta "),
    "end tags of XMP": (read_xmp, lambda n: b"<x:xmpmeta " + b"</x:xmpmeta " * n),
    "blanks in an end tag of XMP": (read_xmp, lambda n: b"<rdf:RDF " + b"</rdf:RDF" + b" " * n + b"</rdf:RDF " * n),
    "subjects in subjects": (read_xmp, lambda n: _nested("dc:subject", n)),
    "titles in titles": (read_xmp, lambda n: _nested("dc:title", n)),
    "titles side by side": (read_xmp, lambda n: _xmp("<dc:title>x</dc:title>" * n)),
    "items in items": (read_xmp, lambda n: _nested("rdf:li", n)),
    "records of IPTC": (read_iptc, lambda n: b"\x1c\2\x19\0\1a" * n),
    "image resources": (read_resources, lambda n: b"8BIM\4\4\0\0\0\0\0\0" * n),
    "blocks of paths": (split_blocks, lambda n: b"8BIM\7\xd0\0\0\0\0\0\0" * n),
    "records of a path": (decode_records, lambda n: b"\0\0\xff\xff" + bytes(22) + (b"\0\2" + bytes(24)) * n),
    "boxes": (lambda data: list(boxes(data)), lambda n: b"\0\0\0\x08free" * n),
    "boxes in boxes": (
        lambda data: read_container(data, FileKind.HEIC),
        lambda n: b"\0\0\0\x0cmeta" + bytes(4) + b"\0\0\0\x08iprp" * n,
    ),
    "segments of a JPEG": (
        lambda data: read_container(data, FileKind.JPEG),
        lambda n: b"\xff\xd8" + b"\xff\xed\0\x12Photoshop 3.0\0\0\0" * n + b"\xff\xd9",
    ),
    "filling in a JPEG": (lambda data: read_container(data, FileKind.JPEG), lambda n: b"\xff\xd8" + b"\xff" * n),
    "chunks of a PNG": (lambda data: read_container(data, FileKind.PNG), lambda n: _png(_chunk(b"tEXt", b"") * n)),
    "chunks of a WebP": (
        lambda data: read_container(data, FileKind.WEBP),
        lambda n: b"RIFF" + struct.pack("<I", 4 + 8 * n) + b"WEBP" + b"EXIF\0\0\0\0" * n,
    ),
    "blocks of a GIF": (
        lambda data: read_container(data, FileKind.GIF),
        lambda n: b"GIF89a\1\0\1\0\0\0\0" + b"!\xfe" + b"\1a" * n + b"\0;",
    ),
    "directories of a TIFF": (
        lambda data: read_container(data, FileKind.TIFF),
        lambda n: _tiff_of_overlapping_directories(n),
    ),
    "long tags of a TIFF": (detect, _tiff_of_long_tags),
    "layers": (layer_mattes, _layers_that_claim_all),
    "columns of a manifest": (lambda data: read_manifest(data, name="m"), lambda n: _wide_manifest(min(n, 900))),
    "packed profiles in a PNG": (lambda data: read_paths(data, name="p"), _path_segments),
    "tags of a TIFF with paths": (
        lambda data: read_paths(data, name="p"),
        lambda n: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2 * n) + bytes(20 * n),
    ),
}


@pytest.mark.parametrize("name", _SCANNERS)
def test_every_scanner_is_linear_in_what_it_looks_at(name):
    function, worst = _SCANNERS[name]
    few, many = (_work(function, worst(n)) for n in (200, 800))
    assert few > 0
    assert many <= _GROWTH * few + 200


def _inflated_by(function: Callable[[bytes], object], data: bytes, monkeypatch) -> int:
    count = 0
    real = zlib.decompressobj

    def counted(*args):
        nonlocal count
        count += 1
        return real(*args)

    monkeypatch.setattr(zlib, "decompressobj", counted)
    function(data)
    return count


def test_of_many_packed_blocks_only_the_first_is_inflated(monkeypatch):
    packed = zlib.compress(bytes(1000))
    profiles = _png(_chunk(b"iCCP", b"a\0\0" + packed) * 50)
    texts = _png(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed) * 50)
    assert _inflated_by(lambda data: read_container(data, FileKind.PNG), profiles, monkeypatch) == 1
    assert _inflated_by(lambda data: read_container(data, FileKind.PNG), texts, monkeypatch) == 1
    assert _inflated_by(lambda data: read_paths(data, name="p"), _path_segments(50), monkeypatch) == 1


def test_a_header_of_comments_is_refused_for_what_it_is():
    assert detect(b"P1 " + b"# " * 60) is FileKind.TEXT
    assert detect(b"P3\n# made by hand\n# 4 lines\n640 480\n255\n") is FileKind.ANYMAP
    assert detect(b"P7\nWIDTH 4\n") is FileKind.ANYMAP
