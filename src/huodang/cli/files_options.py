"""What the commands of `huodang files` share: reading their options, showing how far they are."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import json
import zipfile
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from huodang.standards import HuodangError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from huodang.exchange.files import CheckReport, FileFormat, Progress, ReadMapping
    from huodang.trust import TrustedKeys


class FilesCommandError(HuodangError):
    """The command line asks for something that can't be done as asked."""

    code: ClassVar[str] = "cli.files"


def provider_of(delivery: Path) -> str:
    """Read who says to deliver; whether that is so is checked when it is taken."""
    from huodang.exchange.files import MANIFEST_NAME, manifest_bytes, read_manifest

    if delivery.is_dir():
        return read_manifest(manifest_bytes(delivery), None).manifest.provider
    try:
        with zipfile.ZipFile(delivery) as archive, archive.open(MANIFEST_NAME) as file:
            return read_manifest(file.read(1024 * 1024), None).manifest.provider
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError) as problem:
        raise FilesCommandError(
            "压缩包损坏、加密或没有清单", "the zip file is broken, encrypted or without manifest"
        ) from problem


def mapping_from(path: Path | None) -> "ReadMapping | None":
    """Read a mapping, if one is named."""
    from huodang.exchange.files import read_mapping

    return read_mapping(path) if path else None


def format_from(path: Path | None) -> "FileFormat | None":
    """Read the description of a format, if one is named."""
    from huodang.exchange.files import read_format

    return read_format(path) if path else None


def trusted_of(config: Path | None) -> "TrustedKeys | None":
    """Load the keys that a gateway's file trusts; None without a file."""
    from huodang.exchange import read_gateway_file
    from huodang.trust import TrustedKeys

    if config is None:
        return None
    file = read_gateway_file(config)
    return TrustedKeys.load(file.beside(file.spec.trust))


def keys_of(keys: Path | None, department: str | None, config: Path | None) -> tuple[Path, str]:
    """Give the folder of keys and the department's code."""
    from huodang.exchange import read_gateway_file

    if config is not None and keys is None and department is None:
        file = read_gateway_file(config)
        return file.beside(file.spec.keys), file.spec.department
    if keys is None or department is None or config is not None:
        raise FilesCommandError(
            "请给出 --config，或同时给出 --keys 和 --as",
            "give --config, or both --keys and --as",
            advice_chinese="例：--keys departments/health/keys --as health",
            advice_english="Example: --keys departments/health/keys --as health",
        )
    return keys, department


def instant_from(text: str) -> datetime:
    """Read an instant; without a zone it is Beijing time."""
    from huodang.store import SHANGHAI

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise FilesCommandError(f"无法识别的时间 {text}", f"{text} is no date or time") from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def period_from(text: str | None) -> tuple[date | None, date | None]:
    """Read a span of days such as `2025-02-01..2025-02-28`."""
    if text is None:
        return None, None
    first, _, last = text.partition("..")
    try:
        span = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise FilesCommandError(
            f"无法识别的期间 {text}", f"{text} is no span of days", advice_chinese="例：2025-02-01..2025-02-28"
        ) from None
    if span[0] > span[1]:
        raise FilesCommandError("期间的首日晚于末日", "the span ends before it begins")
    return span


def write_report(found: "CheckReport", report: Path | None) -> None:
    """Write the report of a dry run, if a file is named."""
    from huodang.store import write_whole

    if report is not None:
        write_whole(report, json.dumps(found.to_payload(), ensure_ascii=False, indent=2).encode())


@contextmanager
def progress_shown(label: str) -> "Iterator[Progress]":
    """Show how far reading has come, on standard error and only on a terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label)

        def told(name: str, rows: int) -> None:
            bar.update(task, description=f"{label} {name}: {rows} 行 / rows")

        yield told
