"""Which pairs are worth weighing at all: those that agree on something that few share.

Every rule is agreement on one or several things. A value that too many records of the left file share is left to the
rules that join it with another thing: so no rule makes more than so many candidates for a record, however frequent a
name is, and memory stays bounded.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from huodang.supervision.linkage.columns import Role
from huodang.supervision.linkage.tables import Progress, Records

_MOST_SHARED: Final = 200
_MOST_SHARED_ALONE: Final = 30
"""Where a rule is of one thing alone: a name that few have."""
_MOST_FOR_GENERIC: Final = 300

_SURNAME: Final = "split_part(sound, ' ', 1)"
_REST: Final = "substr(sound, length(split_part(sound, ' ', 1)) + 2)"
_YEAR: Final = "substr(birth, 1, 4)"
_DAY: Final = "substr(birth, 5, 4)"
_PREFECTURE: Final = "substr(region, 1, 4)"

# Rules for records of Chinese persons; each names what must agree. A rule is left out if a thing isn't there.
_PERSON_RULES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (("name",), ("name",)),
    (("sound",), ("sound",)),
    (("name", "birth"), ("name", _YEAR)),
    (("name", "birth"), ("name", _DAY)),
    (("name", "birth"), ("name", "substr(birth, 1, 2) || substr(birth, 5, 2)", "sex")),
    (("name", "birth"), ("name", "substr(birth, 1, 3)", "substr(birth, 7, 2)")),
    (("name", "region"), ("name", "region")),
    (("sound", "birth"), ("sound", _YEAR)),
    (("sound", "birth"), ("sound", _DAY)),
    (("sound", "region"), ("sound", "region")),
    (("birth", "sound"), ("birth", _SURNAME)),
    (("birth", "sound"), ("birth", _REST)),
    (("birth", "sound", "region"), (_DAY, _SURNAME, "region")),
    (("birth", "sound", "region"), ("substr(birth, 1, 6)", _SURNAME, "region")),
    (("birth", "region", "sex"), ("birth", _PREFECTURE, "sex")),
    (("sequence", "birth"), ("sequence", "birth")),
    (("sequence", "name"), ("sequence", "name")),
    (("sequence", "sound"), ("sequence", _SURNAME, "region")),
    (("sequence", "region", "birth"), ("sequence", "region", _YEAR)),
    (("phone",), ("phone",)),
    (("address",), ("address",)),
)
_OTHER_READINGS: Final = (
    ("birth_number", "birth", _SURNAME),
    ("birth", "birth_number", _SURNAME),
)


def find_candidates(records: Records, progress: Progress) -> int:
    """Fill `candidate_pair (left_row, right_row)` with what is worth weighing; give how many there are.

    It needs `left_pool` and `right_rest`, the records that are weighed.
    """
    connection = records.connection
    connection.execute("CREATE OR REPLACE TABLE found_pair (left_row BIGINT, right_row BIGINT)")
    present = {name for name, *_ in connection.execute("DESCRIBE left_pool").fetchall()} & {
        name for name, *_ in connection.execute("DESCRIBE right_rest").fetchall()
    }
    done = 0
    for left, right in _rules(records, present):
        most = _MOST_FOR_GENERIC
        if records.has_names:
            most = _MOST_SHARED if len(left) > 1 else _MOST_SHARED_ALONE
        done += _block(records, left, right, most)
        progress("candidates", done)
    connection.execute("CREATE OR REPLACE TABLE candidate_pair AS SELECT DISTINCT left_row, right_row FROM found_pair")
    connection.execute("DROP TABLE found_pair")
    return records.count("candidate_pair")


def _rules(records: Records, present: set[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    rules: list[tuple[Sequence[str], Sequence[str]]] = []
    if records.has_names:
        rules += [(rule, rule) for needs, rule in _PERSON_RULES if set(needs) <= present and _fits(rule, present)]
        if {"birth_number", "sound"} <= present:
            rules += [((one, third), (other, third)) for one, other, third in _OTHER_READINGS]
        return rules
    things = [one.name for one in records.columns if one.name in present and one.role is not Role.SEX]
    things += [name for name in ("birth", "region") if name in present and name not in things]
    rules += [((thing,), (thing,)) for thing in things]
    rules += [(pair, pair) for pair in combinations(things, 2)]
    return rules


def _fits(rule: Sequence[str], present: set[str]) -> bool:
    return "sex" not in rule or "sex" in present


def _block(records: Records, left: Sequence[str], right: Sequence[str], most: int) -> int:
    """Add the pairs that agree on one rule."""
    order = "WHERE l.row < r.row" if records.same else ""

    def keyed(table: str, things: Sequence[str]) -> str:
        filled = " AND ".join(f"nullif({thing}, '') IS NOT NULL" for thing in things)
        return f"SELECT row, hash({', '.join(things)}) AS thing FROM {table} WHERE {filled}"

    added = records.connection.execute(f"""INSERT INTO found_pair
        WITH r AS MATERIALIZED ({keyed("right_rest", right)}),
        l AS MATERIALIZED (SELECT * FROM ({keyed("left_pool", left)}) WHERE thing IN (SELECT thing FROM r)),
        fit AS (SELECT thing FROM l GROUP BY thing HAVING count(*) <= {most})
        SELECT l.row, r.row FROM r JOIN l USING (thing) JOIN fit USING (thing) {order}""").fetchall()
    return int(added[0][0])
