"""What a run leaves behind: the list as CSV and Excel, the network's page, and `scores.json` for the run to come."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from huodang.exchange.files import FileFormat, FileKind, write_rows
from huodang.standards import HuodangError, Place
from huodang.store import utc_text, write_whole
from huodang.supervision.scores.drift import Drift, Shares, compare_runs, spread
from huodang.supervision.scores.features import yuan
from huodang.supervision.scores.network import Network, network
from huodang.supervision.scores.network_page import NOTICE_CHINESE, NOTICE_ENGLISH, network_page
from huodang.supervision.scores.rarity import points
from huodang.supervision.scores.service import ScoredPerson, Scores
from huodang.supervision.scores.shown import PreparedWithOriginals, ShownPerson, show_people

VERSION: Final = 1
TIER: Final = "look"
SUMMARY: Final = "scores.json"
_COLUMNS: Final = (
    "排名 rank",
    "证件号码 identity_number",
    "姓名 name",
    "险种 scheme",
    "地区 region",
    "评分 score",
    "涉及金额（元） yuan_at_stake",
    "主要原因 reasons_zh",
    "reasons_en",
    "原因代码与分值 reason_points",
    "由何发现 found_by",
    "等级 tier",
    "文件 file",
    "行 row",
)
_FOUND_BY: Final = {"scores": "业务评分 scores", "generic": "通用检测 generic"}
_ONLY_GENERIC: Final = (
    "各项业务评分均属常见，仅通用检测（孤立森林）认为整体少见，无法说明原因",
    "every score is common; only the generic detector (isolation forest) finds the whole rare, and can't say why",
)


class PreviousRunError(HuodangError):
    """The JSON of an earlier run can't be used."""

    code = "scores.previous_run"


@dataclass(frozen=True)
class Written:
    """What was written, and what there is to say of it."""

    files: tuple[Path, ...]
    network: Network
    drift: tuple[Drift, ...]
    shown: Mapping[int, ShownPerson]


def read_previous(path: Path) -> dict[str, Shares]:
    """Read the spreads of an earlier run out of its `scores.json`.

    Raises:
        PreviousRunError: the file isn't one of ours, or of another version.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise _unusable(path)
        return {
            one["name"]: Shares(tuple(map(float, one["spread"]["edges"])), tuple(map(float, one["spread"]["shares"])))
            for one in told["features"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise _unusable(path) from None


def write_report(
    scores: Scores,
    prepared: PreparedWithOriginals,
    out: Path,
    at: datetime,
    *,
    previous: Mapping[str, Shares] | None = None,
    unmasked_reason: str = "",
) -> Written:
    """Write everything into a folder; the summary last, so its presence says that the rest is whole.

    Args:
        scores: What `score` gave.
        prepared: Where the originals of the listed rows are read.
        out: The folder; made if there is none.
        at: The instant of the run.
        previous: The spreads of an earlier run, to watch drift against.
        unmasked_reason: Why persons are shown in full; empty: they are masked. It is kept in `looks.jsonl`.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = network(scores)
    rows = [one.row for one in scores.rows]
    rows += [int(scores.people.row[person]) for component in found.components for person in component.people]
    shown = show_people(prepared, rows, unmasked=bool(unmasked_reason))
    if unmasked_reason:
        _record_look(out, at, unmasked_reason, len(shown))
    files = [out / "scores.csv", out / "scores.xlsx", out / "network.html", out / SUMMARY]
    write_rows(files[0], FileFormat(kind=FileKind.CSV, columns=_COLUMNS), _lines(scores, shown))
    write_rows(files[1], FileFormat(kind=FileKind.XLSX, columns=_COLUMNS, sheet="scores"), _lines(scores, shown))
    write_whole(files[2], network_page(found, scores, shown).encode())
    drift = tuple(compare_runs(scores.features, previous or {}))
    summary = json.dumps(_summary(scores, found, drift, at, unmasked_reason), ensure_ascii=False, indent=2)
    write_whole(files[3], (summary + "\n").encode())
    return Written(tuple(files), found, drift, shown)


def reasons_text(one: ScoredPerson) -> tuple[str, str]:
    """Give the reasons of a listed person in Chinese and in English."""
    if not one.reasons:
        return _ONLY_GENERIC
    return (
        "；".join(reason.words.chinese for reason in one.reasons),
        "; ".join(reason.words.english for reason in one.reasons),
    )


def _lines(scores: Scores, shown: Mapping[int, ShownPerson]) -> Iterator[tuple[object, ...]]:
    for rank, one in enumerate(scores.rows, start=1):
        person = shown[one.row]
        chinese, english = reasons_text(one)
        yield (
            rank,
            person.identity_number,
            person.name,
            person.scheme or one.scheme,
            person.region or one.region,
            f"{one.score:.2f}",
            yuan(one.fen).replace(",", ""),
            chinese,
            english,
            " ".join(f"{reason.feature}={reason.points:.2f}" for reason in one.reasons),
            _FOUND_BY[one.found_by],
            TIER,
            person.file,
            person.file_row,
        )


def _summary(scores: Scores, found: Network, drift: tuple[Drift, ...], at: datetime, reason: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "made_at": utc_text(at),
        "notice": {"chinese": NOTICE_CHINESE, "english": NOTICE_ENGLISH},
        "tier": TIER,
        "people": len(scores.people),
        "unjudged_payments": scores.unjudged,
        "with_a_score": int((scores.scores > 0).sum()),
        "listed": sum(one.found_by == "scores" for one in scores.rows),
        "listed_by_generic_alone": sum(one.found_by == "generic" for one in scores.rows),
        "fen_at_stake": sum(one.fen for one in scores.rows),
        "unmasked_reason": reason or None,
        "features": [
            {
                "name": one.name,
                "family": one.family.value,
                "chinese": one.label.chinese,
                "english": one.label.english,
                "judged": one.judged,
                "people_with_points": int((points(one.digits, one.most) > 0).sum()),
                "spread": spread(one.values).to_json(),
            }
            for one in scores.features
        ],
        "drift": [
            {
                "name": one.feature,
                "index": round(one.index, 6),
                "grade": one.grade,
                "chinese": one.words.chinese,
                "english": one.words.english,
            }
            for one in drift
        ],
        "network": {
            "groups": found.total,
            "accounts": found.accounts,
            "addresses": found.addresses,
            "employers": found.employers,
            "left_out": found.left_out,
        },
    }


def _record_look(out: Path, at: datetime, reason: str, people: int) -> None:
    """Keep who was shown in full and why, beside what was shown; numbers only, no person."""
    line = {"at": utc_text(at), "what": "scores", "reason": reason, "people": people}
    with (out / "looks.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _unusable(path: Path) -> PreviousRunError:
    return PreviousRunError(
        "不是本程序上次评分写出的 scores.json，或版本不同",
        "not the scores.json of an earlier run, or of another version",
        advice_chinese="请用 --previous 指定上次评分输出目录中的 scores.json，或不加该选项。",
        advice_english="Point --previous at the scores.json of an earlier run, or leave it out.",
        place=Place(file=path.name),
    )
