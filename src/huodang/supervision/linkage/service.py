"""One linkage from two files to links: by number, by repaired number, then by weighed agreement on what is left."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from huodang.standards import Place
from huodang.supervision.linkage.blocking import find_candidates
from huodang.supervision.linkage.choosing import Chosen, Unlinked, choose_all, choose_one_to_one
from huodang.supervision.linkage.columns import Column, plan_columns
from huodang.supervision.linkage.comparisons import Comparison, comparisons_of
from huodang.supervision.linkage.errors import LinkModelError
from huodang.supervision.linkage.explaining import Explained, explain
from huodang.supervision.linkage.model import Model, load_model
from huodang.supervision.linkage.numbers import link_by_number
from huodang.supervision.linkage.reading import InputFile
from huodang.supervision.linkage.scoring import weigh
from huodang.supervision.linkage.settings import LinkSettings
from huodang.supervision.linkage.tables import Progress, Records, load, workspace
from huodang.supervision.linkage.training import train


@dataclass(frozen=True)
class Links:
    """What was linked, and what was not.

    Attributes:
        pairs: `left_row, right_row, probability, way` (`number`, `repaired` or `weighed`), ordered by rows from 0.
        unlinked: `right_row, reason, probability, candidates` of the right records that have no link; none in a
            deduplication.
        explained: the least certain links and a sample of the rest, taken apart for the page of waterfalls.
        columns: what was compared.
        comparisons: how, level by level.
        model: what it weighs; None where numbers alone decided.
        left_rows, right_rows: how many records each file has.
        same: one file was held against itself.
        threshold: least probability of a link.
    """

    pairs: pa.Table
    unlinked: pa.Table
    explained: tuple[Explained, ...]
    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]
    model: Model | None
    left_rows: int
    right_rows: int
    same: bool
    threshold: float

    def ways(self) -> dict[str, int]:
        """Count the links by how they were found."""
        counted = self.pairs.group_by("way").aggregate([("way", "count")]).to_pylist()
        return {one["way"]: one["way_count"] for one in sorted(counted, key=lambda one: str(one["way"]))}


@dataclass(frozen=True)
class Plan:
    """What two files would be compared by.

    Attributes:
        columns: what is compared.
        comparisons: how.
        left_unused, right_unused: headers that are not.
    """

    columns: tuple[Column, ...]
    comparisons: tuple[Comparison, ...]
    left_unused: tuple[str, ...]
    right_unused: tuple[str, ...]


def plan(left: Path, right: Path) -> Plan:
    """Tell what two files would be compared by, without linking them.

    Raises:
        HuodangError: a file can't be read, or they share too little.
    """
    files = InputFile.open(left), InputFile.open(right)
    columns = _planned(*files)
    used = {one.left for one in columns}, {one.right for one in columns}
    unused = [
        tuple(name for name in file.format.columns if name not in seen) for file, seen in zip(files, used, strict=True)
    ]
    return Plan(columns, comparisons_of(columns), *unused)


def link(
    left: Path, right: Path, settings: LinkSettings | None = None, progress: Progress = lambda _step, _rows: None
) -> Links:
    """Link the records of two files, or find those of one person within one file (`left` and `right` the same).

    Args:
        left: such as the payees; of several rows with one number and name each is linked.
        right: such as the death notices; each is linked to at most one person.
        settings: costs and limits.
        progress: told how far it is.

    Raises:
        HuodangError: a file can't be read, the files share too little, or a saved model doesn't fit.
    """
    settings = settings or LinkSettings()
    files = InputFile.open(left), InputFile.open(right)
    columns = _planned(*files)
    comparisons = comparisons_of(columns)
    model = None
    if settings.model is not None and settings.model.exists():
        model = load_model(settings.model)
        if not model.fits(comparisons):
            raise LinkModelError(
                "模型是为另外的列训练的",
                "the model was trained for other columns",
                advice_chinese="请换一个模型文件，或删去它重新训练。",
                advice_english="Name another model file, or remove it to train anew.",
                place=Place(file=settings.model.name),
            )
    with workspace(settings) as connection:
        records = load(connection, *files, columns, progress)
        link_by_number(records, progress)
        _set_rest_apart(records)
        weighed = find_candidates(records, progress) if comparisons else 0
        if weighed and model is None:
            progress("train", 0)
            model = train(records, comparisons)
            if settings.model is not None:
                model.save(settings.model, comparisons)
        if weighed and model is not None:
            progress("weigh", weighed)
            weigh(records, comparisons, model)
        chosen = _choose(records, model if weighed else None, settings)
        progress("choose", weighed)
        pairs = _pairs(records)
        return Links(
            pairs,
            _unlinked(records, chosen),
            explain(records, comparisons if weighed else (), settings.shown),
            columns,
            comparisons,
            model if weighed else None,
            records.left_rows,
            records.right_rows,
            records.same,
            settings.threshold,
        )


def _planned(left: InputFile, right: InputFile) -> tuple[Column, ...]:
    return plan_columns(left.sample(), right.sample())


def _set_rest_apart(records: Records) -> None:
    """Lay out `left_pool`, one record a person, and `right_rest`, what numbers didn't link."""
    connection = records.connection
    if records.same:
        connection.execute("CREATE VIEW left_pool AS SELECT * FROM left_side")
        connection.execute("CREATE VIEW right_rest AS SELECT * FROM left_side")
        return
    connection.execute("CREATE TABLE copy_of (row BIGINT, first BIGINT)")
    if records.has_numbers:
        name = "name" if any(one.name == "name" for one in records.columns) else "NULL"
        connection.execute(f"""INSERT INTO copy_of SELECT row, first FROM
            (SELECT row, min(row) OVER (PARTITION BY person, {name}) AS first FROM left_side WHERE person IN
                (SELECT person FROM left_side WHERE person IS NOT NULL GROUP BY person HAVING count(*) > 1))
            WHERE row <> first""")
    connection.execute("CREATE VIEW left_pool AS SELECT * FROM left_side WHERE row NOT IN (SELECT row FROM copy_of)")
    connection.execute("""CREATE TABLE right_rest AS SELECT * FROM right_side
        WHERE row NOT IN (SELECT right_row FROM by_number)""")


def _choose(records: Records, model: Model | None, settings: LinkSettings) -> Chosen:
    """Fill `chosen (left_row, right_row, probability)` with the links that weighing gives."""
    connection = records.connection
    connection.execute("CREATE TABLE chosen (left_row BIGINT, right_row BIGINT, probability DOUBLE)")
    if model is None:
        return Chosen(np.zeros(0), np.zeros(0, dtype=bool), {})
    # A record with a number that nobody has is rather of a stranger than one without any.
    kind = "(r.sequence IS NOT NULL)::BIGINT" if records.has_numbers else "0::BIGINT"
    found = connection.sql(f"""SELECT left_row, right_row, weight, {kind} AS kind, NOT ({_support(records)}) AS barred,
        left_row IN (SELECT left_row FROM by_number) AS taken
        FROM weighed w JOIN right_rest r ON r.row = right_row JOIN left_side l ON l.row = left_row
        ORDER BY left_row, right_row""").fetchnumpy()
    left, right, weights = (np.asarray(found[name]) for name in ("left_row", "right_row", "weight"))
    if records.same:
        chosen = choose_all(weights, prior=model.prior, threshold=settings.threshold)
    else:
        chosen = choose_one_to_one(
            left,
            right,
            weights,
            taken=np.asarray(found["taken"]),
            barred=np.asarray(found["barred"]),
            population=records.count("left_pool"),
            kinds=np.asarray(found["kind"]),
            notices=np.bincount(
                np.asarray(connection.sql(f"SELECT {kind} AS kind FROM right_rest r").fetchnumpy()["kind"]), minlength=2
            ),
            threshold=settings.threshold,
        )
    kept = chosen.linked
    connection.register(
        "link", pa.table({"left_row": left[kept], "right_row": right[kept], "probability": chosen.probability[kept]})
    )
    connection.execute("INSERT INTO chosen SELECT * FROM link")
    connection.unregister("link")
    return chosen


def _support(records: Records) -> str:
    """Give the SQL that tells whether anything beside the number speaks for a pair: never by number alone."""
    if not records.has_numbers:
        return "true"
    beside = [one.name for one in records.columns if one.name in {"name", "address", "phone"} or one.name[:2] == "c_"]
    return " OR ".join(
        [
            "coalesce(r.told_birth AND damerau_levenshtein(l.birth, r.birth) <= 2, false)",
            *(f"w.part_{name} > 0" for name in beside),
        ]
    )


def _pairs(records: Records) -> pa.Table:
    """Put the links together; every row of a person who stands in the left file several times is linked."""
    copies = (
        ""
        if records.same
        else """UNION ALL SELECT c.row, k.right_row, k.probability, 'weighed'
        FROM chosen k JOIN copy_of c ON c.first = k.left_row"""
    )
    # Of one file, two rows with one number are linked however they were weighed.
    again = "WHERE (left_row, right_row) NOT IN (SELECT (left_row, right_row) FROM by_number)" if records.same else ""
    return records.connection.sql(f"""SELECT left_row, right_row, probability, way FROM by_number
        UNION ALL SELECT left_row, right_row, probability, 'weighed' FROM chosen {again} {copies}
        ORDER BY left_row, right_row""").to_arrow_table()


def _unlinked(records: Records, chosen: Chosen) -> pa.Table:
    """List the right records without a link, each with its reason."""
    if records.same:
        rows: list[int] = []
    else:
        found = records.connection.sql("""SELECT row FROM right_rest
            WHERE row NOT IN (SELECT right_row FROM chosen) ORDER BY row""").fetchnumpy()
        rows = np.asarray(found["row"]).tolist()
    told = [chosen.reasons.get(row, (Unlinked.NO_CANDIDATE, 0.0, 0)) for row in rows]
    return pa.table(
        {
            "right_row": pa.array(rows, pa.int64()),
            "reason": pa.array([one[0].value for one in told], pa.string()),
            "probability": pa.array([one[1] for one in told], pa.float64()),
            "candidates": pa.array([one[2] for one in told], pa.int64()),
        }
    )
