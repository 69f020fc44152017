"""Archives that are to leave their place, to be more than they seem, or to mean two things."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.hostile.paper import PaperAttack

LAB = "knowledge-check"
ANSWERS = b"session-begins: EHLO\n"
NAME = "answers.yaml"
NO_FILE = "as no ordinary file"
OUT = "leads out of the archive"
NOT_INTACT = "neither a folder nor an intact"
TOO_MANY = "entries"


def _tar(*members: tuple[str, bytes, dict[str, object]], form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, data, fields in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def _zip(*members: tuple[str, bytes], mode: int = 0o100644, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(target, "w", kind) as archive:
            for name, data in members:
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                info.compress_type = kind
                archive.writestr(info, data)
    return target.getvalue()


GOOD: tuple[str, bytes, dict[str, object]] = (NAME, ANSWERS, {})
GOOD_ZIP = (NAME, ANSWERS)


def _deflated(size: int) -> bytes:
    """``size`` zeros as a deflate stream, without ever holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    part = bytes(1 << 20)
    return b"".join([*(packer.compress(part) for _ in range(size >> 20)), packer.flush()])


def _lying_zip(size: int, claimed: int) -> bytes:
    """A zip whose one member holds ``size`` zeros and says that it holds ``claimed``."""
    data = _deflated(size)
    name = NAME.encode()
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(data), claimed, len(name), 0) + name
    central = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(data), claimed, len(name), 0, 0, 0, 0, 0, 0
    )
    at = len(local) + len(data)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central) + len(name), at, 0)
    return local + data + central + name + end


def _overlapping() -> bytes:
    """A zip of a thousand names for one and the same member of 10 MB."""
    data, count = _deflated(10 << 20), 1000
    first = b"a0000"
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(data), 10 << 20, len(first), 0) + first
    directory = b"".join(
        struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2",
            20,
            20,
            0,
            8,
            0,
            0,
            0,
            len(data),
            10 << 20,
            5,
            0,
            0,
            0,
            0,
            0o100644 << 16,
            0,
        )
        + (b"a%04d" % n if n else NAME.encode()[:5])
        for n in range(count)
    )
    at = len(local) + len(data)
    return (
        local
        + data
        + directory
        + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), at, 0)
    )


def _header_changed(data: bytes, at: int, field: bytes) -> bytes:
    """A tar whose first header has other octets at a place, and the right sum."""
    header = bytearray(data[:512])
    header[at : at + len(field)] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


def _encrypted() -> bytes:
    data = bytearray(_zip(GOOD_ZIP))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def _nested() -> bytes:
    data = _zip(GOOD_ZIP)
    for _ in range(50):
        data = _zip((NAME, data), kind=zipfile.ZIP_STORED)
    return data


def _of_two_minds() -> bytes:
    """A zip whose directory gives a member another name than the member itself does."""
    data = _zip(GOOD_ZIP)
    return data.replace(NAME.encode(), b"../a/../pass", 1)


def _big_xz() -> bytes:
    return lzma.compress(
        bytes(1 << 20), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "preset": 0}]
    )


def _gzip_of_tar(size: int) -> bytes:
    header = _tar(GOOD)[:1024]
    big = tarfile.TarInfo("big")
    big.size = size
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    part = bytes(1 << 20)
    return b"".join(
        [
            packer.compress(header + big.tobuf()),
            *(packer.compress(part) for _ in range(size >> 20)),
            packer.flush(),
        ]
    )


def _unicode_path() -> bytes:
    """A zip whose member has another name in an extra field (APPNOTE section 4.6.9)."""
    other = b"../../evil"
    info = zipfile.ZipInfo(NAME)
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(other), 1, zlib.crc32(NAME.encode())) + other
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(info, ANSWERS)
    return target.getvalue()


def _of_64_bits(count: int) -> bytes:
    """A zip that says in the words of large ones that it has so many members."""
    data = _zip(GOOD_ZIP)
    end, begin = data.rindex(b"PK\5\6"), data.index(b"PK\1\2")
    size = end - begin
    large = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, begin)
    place = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    most = 0xFFFFFFFF
    return (
        data[:end] + large + place + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, most, most, 0)
    )


def _named_for_all() -> bytes:
    """A tar that begins with a name and a size for every member (pax(1), type g)."""
    target, fields = io.BytesIO(), {"path": "../../evil", "size": "99999999"}
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT, pax_headers=fields) as archive:
        info = tarfile.TarInfo(NAME)
        info.size = len(ANSWERS)
        archive.addfile(info, io.BytesIO(ANSWERS))
    return target.getvalue()


def _long_names(count: int) -> bytes:
    """A tar in which so many long names stand before a member."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = b"L", 1
    return (info.tobuf(tarfile.GNU_FORMAT) + b"x" + bytes(511)) * count + _tar(GOOD, form=tarfile.GNU_FORMAT)


def _attack(
    name: str, make: Callable[[], bytes], refused: str = "", *, points: int = 10, seconds: float = 5.0
) -> PaperAttack:
    return PaperAttack(
        f"archive/{name}", LAB, partial(_laid, make), refused=refused, points=points, seconds=seconds
    )


def _laid(make: Callable[[], bytes], folder: Path) -> Path:
    path = folder / "handed-in"
    path.write_bytes(make())
    return path


def _tar_with(**fields: object) -> Callable[[], bytes]:
    return partial(_tar, ("evil.yaml", b"", fields), GOOD)


def _tar_attacks() -> Iterator[PaperAttack]:
    links = (("symbolic-link", tarfile.SYMTYPE), ("hard-link", tarfile.LNKTYPE), ("device", tarfile.CHRTYPE),
             ("disk", tarfile.BLKTYPE), ("pipe", tarfile.FIFOTYPE))  # fmt: skip
    for name, kind in links:
        wanted = (NAME, b"", {"type": kind, "linkname": "/etc/passwd", "devmajor": 1, "devminor": 5})
        yield _attack(f"tar-{name}", partial(_tar, wanted), NO_FILE)
    yield _attack("tar-link-then-file-below", partial(_tar, ("d", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc"}),
                                                      ("d/passwd", b"x", {}), GOOD))  # fmt: skip
    yield _attack("tar-upwards", partial(_tar, ("../../evil", b"x", {}), GOOD), OUT)
    yield _attack("tar-absolute", partial(_tar, ("/etc/evil", b"x", {}), GOOD), OUT)
    yield _attack(
        "tar-upwards-in-pax", partial(_tar, ("a", b"x", {"pax_headers": {"path": "../../evil"}}), GOOD), OUT
    )
    yield _attack("tar-twice", partial(_tar, GOOD, GOOD), "twice")
    yield _attack("tar-twice-by-dots", partial(_tar, GOOD, (f"./{NAME}", b"x: y\n", {})), "twice")
    yield _attack(
        "tar-size-in-pax", partial(_tar, (NAME, ANSWERS, {"pax_headers": {"size": "99999999999999"}}))
    )
    yield _attack(
        "tar-of-60000", lambda: gzip.compress(_tar(*((f"f{n}", b"", {}) for n in range(60_000))), 1), TOO_MANY
    )
    yield _attack(
        "tar-sizes-below-nothing",
        lambda: _header_changed(_tar(GOOD, form=tarfile.GNU_FORMAT), 124, b"\xff" * 12),
    )
    yield _attack(
        "tar-sizes-beyond-all",
        lambda: _header_changed(_tar(GOOD, form=tarfile.GNU_FORMAT), 124, b"\x80" + b"\x7f" * 11),
    )
    yield _attack("tar-sparse", lambda: _header_changed(
        _header_changed(_tar(GOOD, form=tarfile.GNU_FORMAT), 156, b"S"), 386,
        b"%011o\0%011o\0" % (0, 0) + b"\0" * 73 + b"%011o\0" % (1 << 32)), seconds=5)  # fmt: skip
    yield _attack("tar-name-without-end", partial(_tar, ("x" * 900_000, b"", {}), GOOD), "printable")
    yield _attack("tar-gzip-bomb", lambda: _gzip_of_tar(256 << 20), NOT_INTACT, seconds=20)
    yield _attack("tar-gzip-in-gzip", lambda: gzip.compress(gzip.compress(_tar(GOOD))), NOT_INTACT)
    yield _attack("tar-bzip2-bomb", lambda: bz2.compress(bytes(100 << 20)), NOT_INTACT, seconds=20)
    yield _attack("tar-xz-bomb", lambda: lzma.compress(bytes(100 << 20), preset=0), NOT_INTACT, seconds=20)
    yield _attack("tar-xz-of-a-gigabyte-of-memory", _big_xz, NOT_INTACT)
    holes = {"GNU.sparse.map": "0,1," * 99_999 + "0,1", "GNU.sparse.size": str(1 << 50)}
    yield _attack("tar-sparse-in-pax", partial(_tar, (NAME, b"x", {"pax_headers": holes})))
    yield _attack("tar-named-for-all", _named_for_all)
    yield _attack("tar-long-names", lambda: _long_names(20_000))
    yield _attack("tar-gzip-name-without-end", lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 3_000_000)
    yield _attack("tar-xz-padding", lambda: lzma.compress(b"") + bytes(4_000_000))
    yield _attack("tar-cut-off", lambda: _tar((NAME, ANSWERS * 100, {}))[:700])


def _zip_attacks() -> Iterator[PaperAttack]:
    yield _attack("zip-symbolic-link", partial(_zip, (NAME, b"/etc/passwd"), mode=0o120777), NO_FILE)
    yield _attack("zip-device", partial(_zip, GOOD_ZIP, mode=0o020666), NO_FILE)
    yield _attack("zip-upwards", partial(_zip, GOOD_ZIP, ("../../evil", b"x")), OUT)
    yield _attack("zip-absolute", partial(_zip, GOOD_ZIP, ("/etc/evil", b"x")), OUT)
    yield _attack("zip-of-another-system", partial(_zip, GOOD_ZIP, ("..\\..\\evil", b"x")))
    yield _attack("zip-twice", partial(_zip, GOOD_ZIP, (NAME, b"x: y\n")), "twice")
    yield _attack("zip-of-two-minds", _of_two_minds)
    yield _attack(
        "zip-twins-but-for-case", partial(_zip, GOOD_ZIP, (NAME.upper(), b"x: y\n"), ("Answers.yaml", b""))
    )
    yield _attack("zip-twins-in-unicode", partial(_zip, GOOD_ZIP, ("e\u0301", b"x"), ("\u00e9", b"y")))
    yield _attack(
        "zip-names-that-are-no-text",
        partial(_zip, GOOD_ZIP, ("\x1b[2J\n::error::x", b""), ("\u202ea", b"")),
        "printable",
    )
    yield _attack("zip-bomb", lambda: _lying_zip(256 << 20, 256 << 20), seconds=20)
    yield _attack("zip-bomb-that-lies", lambda: _lying_zip(256 << 20, 20), seconds=20)
    yield _attack("zip-members-in-each-other", _overlapping)
    yield _attack("zip-in-zip", _nested)
    yield _attack(
        "zip-of-60000",
        partial(_zip, *((f"f{n}", b"") for n in range(60_000)), kind=zipfile.ZIP_STORED),
        TOO_MANY,
        seconds=20,
    )
    yield _attack("zip-named-twice", _unicode_path)
    yield _attack("zip-of-two", lambda: _zip(GOOD_ZIP) + _zip((NAME, b"x: y\n")))
    yield _attack("zip-of-64-bits", lambda: _of_64_bits(1 << 62))
    yield _attack("zip-encrypted", _encrypted, "encrypted")
    yield _attack("zip-by-a-rare-method", partial(_zip, GOOD_ZIP, kind=zipfile.ZIP_LZMA), "rare method")
    yield _attack("zip-folders-without-end", partial(_zip, ("a/" * 30_000 + NAME, ANSWERS)))
    yield _attack("zip-with-words-before-it", lambda: b"PK" + b"\0" * 5000 + _zip(GOOD_ZIP))
    yield _attack("zip-cut-off", lambda: _zip(GOOD_ZIP)[:-10], NOT_INTACT)
    yield _attack("zeros", lambda: b"\0" * 100_000)


ATTACKS = (*_tar_attacks(), *_zip_attacks())
