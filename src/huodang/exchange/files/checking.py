"""The dry run (试检): what would happen to a delivery, told before anything happens."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from huodang.exchange.files.detection import Detected, detect
from huodang.exchange.files.errors import FileError, FileFormatError, ManifestError
from huodang.exchange.files.formats import FileFormat, Remark
from huodang.exchange.files.inspection import DataFile, Inspected, Inspection, Progress
from huodang.exchange.files.manifest import (
    MANIFEST_NAME,
    FileState,
    Manifest,
    OpenedManifest,
    manifest_bytes,
    read_manifest,
    state_of,
)
from huodang.exchange.files.mapping import ReadMapping
from huodang.exchange.quality import Standardiser, write_quarantine
from huodang.standards import HuodangError, Place
from huodang.trust import TrustedKeys


@dataclass(frozen=True)
class Problem:
    """Why a delivery would be refused whole."""

    reason: str
    chinese: str
    english: str

    @classmethod
    def of(cls, error: HuodangError) -> "Problem":
        """Tell an error."""
        reason = error.reason if isinstance(error, FileError) else error.code
        return cls(reason, error.sentence("zh"), error.sentence("en"))


@dataclass(frozen=True)
class CheckReport:
    """What a dry run found.

    Attributes:
        verified: the manifest's signature was checked and holds.
        formats: by file what it is.
        remarks: by file what a person should know.
        inspected: what was read; None if reading wasn't reached.
        problems: for these the delivery would be refused; without any, the taken rows would land.
    """

    manifest: Manifest | None
    verified: bool
    formats: dict[str, FileFormat]
    remarks: dict[str, tuple[Remark, ...]]
    inspected: Inspected | None
    problems: tuple[Problem, ...]

    @property
    def good(self) -> bool:
        """Say whether the delivery would be taken."""
        return not self.problems

    def to_payload(self) -> dict[str, Any]:
        """Give the report as JSON; it names rows and reasons, and no value of any row."""
        found, manifest = self.inspected, self.manifest
        return {
            "good": self.good,
            "resource": manifest.resource if manifest else None,
            "sequence": manifest.sequence if manifest else None,
            "content": manifest.content if manifest else None,
            "signature_checked": self.verified,
            "files": [
                {
                    "name": name,
                    "kind": one.kind.value,
                    "encoding": one.encoding,
                    "columns": list(one.columns),
                    "remarks": [
                        {"code": remark.code, "chinese": remark.chinese, "english": remark.english}
                        for remark in self.remarks.get(name, ())
                    ],
                    "rows": next((count.rows for count in found.files if count.name == name), None) if found else None,
                }
                for name, one in self.formats.items()
            ],
            "quality": quality_payload(found) if found else None,
            "problems": [
                {"reason": one.reason, "chinese": one.chinese, "english": one.english} for one in self.problems
            ],
        }


def quality_payload(found: Inspected) -> dict[str, Any]:
    """Give counts and shares of what was read."""
    quality = found.quality
    return {
        **quality.to_payload(),
        "removed": found.removed,
        "outside": found.outside,
        "completeness": quality.completeness,
        "validity": quality.validity,
        "uniqueness": quality.uniqueness,
    }


def check_delivery(
    folder: Path,
    *,
    trusted: TrustedKeys | None,
    mapping: ReadMapping | None,
    today: date,
    now: datetime,
    quarantine: Path | None = None,
    progress: Progress = lambda _name, _rows: None,
) -> CheckReport:
    """Check a folder with a manifest, changing nothing in it.

    Args:
        folder: where manifest and files are.
        trusted: the keys that are believed; None checks everything but the signature.
        mapping: how columns become elements; None checks format and cells only.
        today: the day for quality rules.
        now: the instant for which keys must be valid.
        quarantine: where the rows kept back are written, `.csv` or `.xlsx`; only if there are any.
        progress: told the file's name and the rows read so far.
    """
    try:
        opened = read_manifest(manifest_bytes(folder), trusted, at=now)
    except ManifestError as problem:
        return CheckReport(
            None, verified=False, formats={}, remarks={}, inspected=None, problems=(Problem.of(problem),)
        )
    problems = [Problem.of(error) for error in files_at_fault(folder, opened.manifest)]
    if mapping is not None and mapping.spec.resource != opened.manifest.resource:
        problems.append(
            Problem("other_resource", "清单与映射的资源不同", "manifest and mapping are of different resources")
        )
    files = [(folder / line.name, line.format, line.rows) for line in opened.manifest.files if line.format is not None]
    if problems:
        return CheckReport(opened.manifest, opened.verified, {}, {}, None, tuple(problems))
    return _look_through(files, opened, mapping, today, quarantine, progress=progress)


def check_files(
    files: Sequence[Path],
    *,
    mapping: ReadMapping | None,
    today: date,
    file_format: FileFormat | None = None,
    quarantine: Path | None = None,
    progress: Progress = lambda _name, _rows: None,
) -> CheckReport:
    """Check files that have no manifest; the arguments are those of `check_delivery`."""
    return _look_through(
        [(path, file_format, None) for path in files], None, mapping, today, quarantine, progress=progress
    )


def files_at_fault(folder: Path, manifest: Manifest) -> list[ManifestError]:
    """Hold the files of a folder against their manifest; whatever isn't named there is at fault, too."""
    found: list[ManifestError] = []
    for line in manifest.files:
        state = state_of(folder, line)
        if state is not FileState.RIGHT:
            found.append(_at_fault(line.name, state))
    named = {line.name for line in manifest.files} | {MANIFEST_NAME}
    found.extend(
        ManifestError(
            "not_in_manifest",
            "文件夹中有清单没有列出的文件",
            "the folder holds a file that the manifest doesn't name",
            advice_chinese="请移除该文件，或重新打包。",
            advice_english="Remove it, or pack again.",
            place=Place(file=path.name),
        )
        for path in sorted(folder.iterdir())
        if path.name not in named and not path.name.startswith(".")
    )
    return found


def new_standardiser(
    mapping: ReadMapping,
    today: date,
    *,
    salt: bytes = b"",
    hand_over: Sequence[str] | None = None,
    only: dict[str, tuple[str, ...]] | None = None,
) -> Callable[[], Standardiser]:
    """Give a maker of fresh standardisers for a mapping; see `Standardiser`."""
    return lambda: Standardiser(mapping.plan, today=today, salt=salt, hand_over=hand_over, only=only)


def rows_at_fault(manifest: Manifest, found: Inspected) -> list[FileError]:
    """Hold the rows read against the rows stated."""
    stated = {line.name: line.rows for line in manifest.files if line.rows is not None}
    return [
        FileFormatError(
            "row_count",
            f"读到 {count.rows} 行，清单写 {stated[count.name]} 行",
            f"{count.rows} rows were read, the manifest states {stated[count.name]}",
            place=Place(file=count.name),
        )
        for count in found.files
        if count.name in stated and count.rows != stated[count.name]
    ]


def quarantined_beyond(mapping: ReadMapping, found: Inspected) -> FileFormatError | None:
    """Say so where more rows are kept back than the mapping bears."""
    quality, most = found.quality, mapping.spec.most_quarantined_percent
    if quality.rows == 0 or quality.quarantined * 100 <= most * quality.rows:
        return None
    return FileFormatError(
        "too_many_quarantined",
        f"{quality.rows} 行中有 {quality.quarantined} 行不合格，超过 {most}%",
        f"{quality.quarantined} of {quality.rows} rows are kept back, more than {most}%",
        advice_chinese="请按隔离文件更正后重新交付；没有任何一行被采用。",
        advice_english="Correct them by the quarantine file and deliver again; no row was taken.",
    )


def _look_through(
    files: Sequence[tuple[Path, FileFormat | None, int | None]],
    opened: OpenedManifest | None,
    mapping: ReadMapping | None,
    today: date,
    quarantine: Path | None,
    *,
    progress: Progress,
) -> CheckReport:
    detected: dict[str, Detected] = {}
    problems: list[Problem] = []
    data: list[DataFile] = []
    remarks: dict[str, tuple[Remark, ...]] = {}
    for path, declared, _rows in files:
        try:
            found = detect(path, declared or (mapping.spec.format if mapping else None))
            told = mapping.hold_against(found.format, Place(file=path.name)) if mapping else ()
        except FileError as problem:
            problems.append(Problem.of(problem))
            continue
        detected[path.name] = found
        remarks[path.name] = (*found.remarks, *told)
        data.append(DataFile(path, found.format))
    inspected: Inspected | None = None
    if not problems:
        with tempfile.TemporaryDirectory(prefix="huodang-check-") as folder:
            maker = new_standardiser(mapping, today) if mapping else None
            inspection = Inspection(Path(folder) / _NAME, data, mapping, maker)
            try:
                inspected = inspection.run(progress)
                if quarantine is not None and inspected.quality.quarantined:
                    write_quarantine(quarantine, inspection.bad_rows())
            except FileError as problem:
                problems.append(Problem.of(problem))
            finally:
                inspection.close()
    if inspected is not None:
        if opened is not None:
            problems.extend(Problem.of(error) for error in rows_at_fault(opened.manifest, inspected))
        if mapping is not None and (beyond := quarantined_beyond(mapping, inspected)):
            problems.append(Problem.of(beyond))
    return CheckReport(
        manifest=opened.manifest if opened else None,
        verified=opened.verified if opened else False,
        formats={name: one.format for name, one in detected.items()},
        remarks=remarks,
        inspected=inspected,
        problems=tuple(problems),
    )


def _at_fault(name: str, state: FileState) -> ManifestError:
    chinese, english = _STATES[state]
    return ManifestError(
        state.value,
        chinese,
        english,
        advice_chinese="请重新打包、完整上传；签署后不能改动文件。",
        advice_english="Pack and upload it whole again; files can't be changed once they are signed.",
        place=Place(file=name),
    )


_NAME: Final = "inspection.db"
_STATES: Final = {
    FileState.MISSING: ("清单列出的文件不存在", "a file of the manifest isn't there"),
    FileState.SHORT: (
        "文件比清单所写的小，可能没有传完",
        "a file is smaller than stated: perhaps it didn't come whole",
    ),
    FileState.LONG: ("文件比清单所写的大", "a file is larger than stated"),
    FileState.ALTERED: (
        "文件内容与清单的摘要不符：签署后被改动或替换",
        "a file isn't what was signed: altered or replaced",
    ),
    FileState.UNREADABLE: ("不是可读的普通文件", "no plain file that can be read"),
}
