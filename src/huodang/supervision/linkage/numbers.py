"""Links by number: those that agree, then those that one slip of the hand would explain. Never by number alone.

`by_number` holds `left_row, right_row, probability, way`, the way being `number` or `repaired`. What it doesn't take is
left to weighing.
"""

import pyarrow as pa

from huodang.supervision.linkage.features import clean_number
from huodang.supervision.linkage.repair import candidates
from huodang.supervision.linkage.tables import Progress, Records

# What is left to doubt after a link by number: a number written on another person's record who is called alike, or a
# slip that leads to another living person of nearly the same name. Bounds from generated data (docs/link.md), not zero.
NUMBER_AND_NAME = 0.999999
NUMBER_AND_LIKE_NAME = 0.99999
NUMBER_ALONE = 0.9999
REPAIRED = 0.9999

_HAN_LIKENESS = """CASE WHEN l.name IS NULL OR r.name IS NULL THEN -1 WHEN l.name = r.name THEN 3
    WHEN l.sound = r.sound THEN 2
    WHEN one_character_apart(l.name, r.name) THEN 2
    WHEN levenshtein(l.sound, r.sound) <= 1 OR substr(l.name, 1, 1) = substr(r.name, 1, 1)
        OR split_part(l.sound, ' ', 1) = split_part(r.sound, ' ', 1) THEN 1 ELSE 0 END"""
_TEXT_LIKENESS = """CASE WHEN l.name IS NULL OR r.name IS NULL THEN -1 WHEN l.name = r.name THEN 3
    WHEN jaro_winkler_similarity(l.name, r.name) >= 0.92 THEN 2
    WHEN jaro_winkler_similarity(l.name, r.name) >= 0.8 THEN 1 ELSE 0 END"""


def link_by_number(records: Records, progress: Progress) -> None:
    """Fill `by_number` with the links that numbers give."""
    connection = records.connection
    connection.execute(
        "CREATE TABLE by_number (left_row BIGINT, right_row BIGINT, probability DOUBLE, way VARCHAR, likeness TINYINT)"
    )
    if not records.has_numbers:
        return
    order = "AND l.row < r.row" if records.same else ""
    connection.execute(f"""CREATE TABLE same_number AS
        SELECT l.row AS left_row, r.row AS right_row, {likeness(records)} AS likeness
        FROM right_side r JOIN left_side l ON l.person = r.person {order}""")
    # One number with two names of nothing alike is weighed like the rest.
    connection.execute(f"""INSERT INTO by_number
        SELECT left_row, right_row, CASE likeness WHEN 3 THEN {NUMBER_AND_NAME} WHEN -1 THEN {NUMBER_ALONE}
            ELSE {NUMBER_AND_LIKE_NAME} END, 'number', likeness
        FROM same_number WHERE likeness <> 0
        {"" if records.same else "QUALIFY likeness = max(likeness) OVER (PARTITION BY right_row)"}""")
    progress("numbers", records.count("by_number"))
    if not records.same:
        _repair(records)
    progress("repairs", records.count("by_number"))


def likeness(records: Records) -> str:
    """Give the SQL that tells how alike two names are: 3 the same to 0 nothing alike, -1 where one is missing."""
    names = {one.name: one.role for one in records.columns}
    if records.has_names:
        return _HAN_LIKENESS
    return _TEXT_LIKENESS if "name" in names else "-1"


def _repair(records: Records) -> None:
    connection = records.connection
    wrong = connection.sql("""SELECT row, written FROM right_side
        WHERE written IS NOT NULL AND NOT checked AND row NOT IN (SELECT right_row FROM by_number)""").to_arrow_table()
    rows = wrong.column("row").to_numpy()
    texts = [clean_number(text) for text in wrong.column("written").to_pylist()]
    at, persons = candidates(texts)
    connection.register("candidate", pa.table({"right_row": rows[at], "person": persons}))
    # A right number of the right file may also be the slip of a wrong one of the left file.
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE slip AS SELECT right_row, person, NULL::BIGINT AS left_row FROM candidate"""
    )
    connection.unregister("candidate")
    left = connection.sql(
        "SELECT row, written FROM left_side WHERE written IS NOT NULL AND NOT checked"
    ).to_arrow_table()
    if left.num_rows:
        at, persons = candidates([clean_number(text) for text in left.column("written").to_pylist()])
        connection.register("candidate", pa.table({"left_row": left.column("row").to_numpy()[at], "person": persons}))
        connection.execute("""INSERT INTO slip SELECT r.row, c.person, c.left_row FROM candidate c
            JOIN right_side r USING (person) WHERE r.row NOT IN (SELECT right_row FROM by_number)""")
        connection.unregister("candidate")
    name = "l.name" if any(one.name == "name" for one in records.columns) else "NULL::VARCHAR"
    # The name must be the same, sound the same or be one character apart, and what the records tell beside the number
    # mustn't contradict. Whatever is less is weighed.
    connection.execute(f"""INSERT INTO by_number
        SELECT left_row, right_row, {REPAIRED}, 'repaired', likeness FROM (
            SELECT DISTINCT l.row AS left_row, r.row AS right_row, {likeness(records)} AS likeness,
                {name} AS left_name, l.birth AS left_birth,
                coalesce(r.told_birth AND l.birth <> r.birth AND l.birth_number <> r.birth, false)
                    OR coalesce(r.told_birth AND l.birth <> r.birth AND l.birth_number IS NULL, false)
                    OR coalesce(r.told_sex AND l.sex <> r.sex, false) AS contradicted
            FROM (SELECT s.right_row, l.row AS left_row FROM slip s JOIN left_side l ON l.person = s.person
                      WHERE s.left_row IS NULL
                  UNION ALL SELECT right_row, left_row FROM slip WHERE left_row IS NOT NULL) s
            JOIN left_side l ON l.row = s.left_row JOIN right_side r ON r.row = s.right_row)
        WHERE likeness >= 2 AND NOT contradicted
        QUALIFY count(DISTINCT coalesce(left_name, '') || coalesce(left_birth, '')) OVER (PARTITION BY right_row) = 1
            AND likeness = max(likeness) OVER (PARTITION BY right_row)""")
