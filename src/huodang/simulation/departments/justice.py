"""Justice delivers custody terms as files: CSV in GB 18030, a whole delivery each time, Chinese column names."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from huodang.simulation.people import Person, Population, Quirk

HEADER: Final = ("身份证号", "姓名", "性别", "出生日期", "刑种代码", "起始日期", "截止日期", "执行机关", "报送日期")
# Local codes of the kinds; `crosswalks/justice.sentence_type.csv` turns them into the standard ones.
PRISON, PROBATION, DETAINED, CONTROL = "11", "31", "91", "21"


def write_files(population: Population, folder: Path) -> None:
    """Write two deliveries: last month's, which is out of date, and this month's, which counts."""
    folder.mkdir(parents=True, exist_ok=True)
    this_month = population.today.replace(day=min(population.today.day, 20))
    earlier = this_month - timedelta(days=31)
    terms = [_term(person, population.today) for person in population.people if _known(person)]
    for day, delivered in ((earlier, terms[: len(terms) // 2]), (this_month, terms)):
        _write(folder / f"custody_{day:%Y%m%d}.csv", [(*term, f"{day:%Y%m%d}") for term in delivered])


def _known(person: Person) -> bool:
    # One in ninety has served a term long ago: it must not count.
    return bool(person.quirks & {Quirk.IN_PRISON, Quirk.ON_PROBATION}) or person.serial % 90 == 0


def _term(person: Person, today: date) -> tuple[str, ...]:
    if Quirk.IN_PRISON in person.quirks:
        kind, begins, ends = PRISON, today - timedelta(days=420), today + timedelta(days=900)
    elif Quirk.ON_PROBATION in person.quirks:
        kind, begins, ends = PROBATION, today - timedelta(days=200), today + timedelta(days=500)
    else:
        kind, begins, ends = PRISON, today - timedelta(days=6000), today - timedelta(days=5000)
    return (
        person.number,
        person.name,
        "男" if person.sex == "1" else "女",
        f"{person.registered_birth:%Y%m%d}",
        kind,
        f"{begins:%Y%m%d}",
        f"{ends:%Y%m%d}",
        "演示监狱" if kind == PRISON else "演示司法所",
    )


def _write(file: Path, terms: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(terms)
    file.write_bytes(text.getvalue().encode("gb18030"))
