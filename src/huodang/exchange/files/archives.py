"""Compressed deliveries: everything is looked at before anything is unpacked, and nothing lands outside its folder."""

import io
import stat
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from huodang.exchange.files.errors import ArchiveError, FileWriteError
from huodang.standards import Place

_BLOCK: Final = 1024 * 1024
_ENCRYPTED: Final = 0x1
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
)
_FORBIDDEN_SIGNS: Final = frozenset('<>:"|?*\\')
_NESTED: Final = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst", ".jar")
_LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class ArchiveLimits:
    """How large a delivery may become when it is unpacked.

    Attributes:
        total_bytes: of all members together, unpacked.
        members: how many files it holds.
        ratio: unpacked bytes to one packed byte; tables hardly ever reach 50.
    """

    total_bytes: int = 64 * 1024**3
    members: int = 1000
    ratio: int = 200


_SMALL_ENOUGH: Final = 10 * 1024 * 1024
"""Bytes that no ratio makes dangerous: an empty table packs a thousand to one."""


def check_name(name: str, place: Place) -> str:
    """Hold a file's name from outside against what every system can keep; give it in the composed form (NFC).

    Raises:
        ArchiveError: it is no plain name of a file in one folder.
    """
    plain = unicodedata.normalize("NFC", name)
    stem = plain.split(".")[0].lower()
    if (
        not plain
        or plain in (".", "..")
        or "/" in plain
        or any(sign < " " or sign in _FORBIDDEN_SIGNS or sign == "\x7f" for sign in plain)
        or plain != plain.strip(" ")
        or plain.endswith(".")
        or plain.startswith(".")
        or stem.strip(" ") in _RESERVED
        or len(plain.encode("utf-8", "surrogatepass")) > _LONGEST_NAME
        or any(unicodedata.category(sign) in ("Cs", "Cf") for sign in plain)
    ):
        raise ArchiveError(
            "unsafe_name",
            "文件名不安全（含路径、控制字符、系统保留名，或过长）",
            "a file's name isn't safe (a path, control characters, a reserved name, or too long)",
            advice_chinese="请用普通文件名重新打包，不含文件夹。",
            advice_english="Pack it again under plain names, without folders.",
            place=place,
        )
    return plain


def check_archive(path: Path, limits: ArchiveLimits = ArchiveLimits(), *, plain_names: bool = True) -> list[str]:
    """Look at a zip file without unpacking it; give the names of its members.

    Args:
        path: the file.
        limits: what it may hold.
        plain_names: members must be plain files in no folder; an Excel workbook has its own.

    Raises:
        ArchiveError: it is broken, encrypted, too large, or a member's name or kind isn't safe.
    """
    place = Place(file=path.name)
    with _open(path) as archive:
        members = archive.infolist()
        if not members or len(members) > limits.members:
            raise _too_large(place, "members", f"文件数为 {len(members)}", f"it holds {len(members)} files")
        total = sum(member.file_size for member in members)
        if total > limits.total_bytes:
            raise _too_large(place, "total_bytes", f"解压后共 {total} 字节", f"it unpacks to {total} bytes")
        packed = max(1, path.stat().st_size)
        if total > _SMALL_ENOUGH and total > packed * limits.ratio:
            raise _too_large(place, "ratio", "压缩比异常", "it is packed suspiciously tight")
        seen: set[str] = set()
        for member in members:
            if member.flag_bits & _ENCRYPTED:
                raise ArchiveError(
                    "encrypted",
                    "压缩包已加密",
                    "the archive is encrypted",
                    advice_chinese="请去掉压缩密码后重新交付；传输由 SFTP 或网闸保护，内容由签名保护。",
                    advice_english="Deliver it without a password; the transport protects it, the signature proves it.",
                    place=place,
                )
            if plain_names:
                _check_member(member, seen, place)
        return [member.filename for member in members]


def unpack(path: Path, folder: Path, limits: ArchiveLimits = ArchiveLimits()) -> list[Path]:
    """Unpack a checked zip file into a folder, counting every byte as it comes.

    Raises:
        ArchiveError: it is unsafe, or its members are larger than it says or damaged.
        FileWriteError: the disk is full.
    """
    check_archive(path, limits)
    place = Place(file=path.name)
    written, left = list[Path](), limits.total_bytes
    with _open(path) as archive:
        for member in archive.infolist():
            target = folder / check_name(_decoded_name(member), place)
            try:
                with archive.open(member) as source, target.open("xb") as file:
                    left = _copy(source, file, min(left, member.file_size), left, place)
            except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as problem:
                raise _damaged(place) from problem
            except ArchiveError:
                raise
            except OSError as problem:
                raise cannot_write(target) from problem
            written.append(target)
    return written


def cannot_write(path: Path) -> FileWriteError:
    """Make the error of a file that can't be written."""
    return FileWriteError(
        "cannot_write",
        "文件无法写入（磁盘已满或没有权限），没有留下半个文件",
        "the file can't be written (the disk is full, or no permission); no half of it stays",
        advice_chinese="请清理磁盘或检查权限后重试。",
        advice_english="Make room or check permissions, then try again.",
        place=Place(file=path.name),
    )


def _copy(source: object, file: io.BufferedWriter, stated: int, left: int, place: Place) -> int:
    taken = 0
    while block := source.read(_BLOCK):  # type: ignore[attr-defined]
        taken += len(block)
        if taken > stated:
            raise _too_large(place, "total_bytes", "内容比目录所列更大", "a member is larger than it says")
        file.write(block)
    return left - taken


def _check_member(member: zipfile.ZipInfo, seen: set[str], place: Place) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.is_dir() or kind not in (0, stat.S_IFREG):
        raise ArchiveError(
            "special_member",
            "压缩包中有文件夹、链接或特殊文件",
            "the archive holds a folder, a link or a special file",
            advice_chinese="请只打包普通文件，不含文件夹。",
            advice_english="Pack plain files only, without folders.",
            place=place,
        )
    # `filename` has been cut at a NUL by the library; the raw name tells.
    if "\0" in member.orig_filename or PurePosixPath(member.orig_filename).is_absolute():
        check_name("/", place)
    name = check_name(_decoded_name(member), place)
    folded = unicodedata.normalize("NFKC", name).casefold()
    if folded in seen:
        raise ArchiveError(
            "colliding_names",
            "压缩包中有重名文件（或只有大小写不同）",
            "two files of the archive have one name (or differ in case only)",
            place=place,
        )
    seen.add(folded)
    if name.lower().endswith(_NESTED):
        raise ArchiveError(
            "nested",
            "压缩包中还有压缩包",
            "the archive holds another archive",
            advice_chinese="请只压缩一层。",
            advice_english="Compress once only.",
            place=place,
        )


def _decoded_name(member: zipfile.ZipInfo) -> str:
    """Names without the UTF-8 flag are in the code page of a Chinese system."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as problem:
        raise _damaged(Place(file=path.name)) from problem


def _damaged(place: Place) -> ArchiveError:
    return ArchiveError(
        "damaged",
        "压缩包或 Excel 文件损坏或不完整",
        "the archive or workbook is damaged or cut",
        advice_chinese="请重新导出或重新上传。",
        advice_english="Export or upload it again.",
        place=place,
    )


def _too_large(place: Place, reason: str, chinese: str, english: str) -> ArchiveError:
    return ArchiveError(
        reason,
        f"压缩包超出限制：{chinese}",
        f"the archive exceeds a limit: {english}",
        advice_chinese="请拆分后重新交付，或请管理员调整限制。",
        advice_english="Split it and deliver again, or have the administrator change the limit.",
        place=place,
    )
