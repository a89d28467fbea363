"""Weighing candidates by Splink (Fellegi–Sunter on DuckDB), with frequent values counting for less.

Both sides go to Splink as one table and the candidates as pairs of its rows, so it joins on integers; which of them are
compared, and what levels weigh, is decided before (`blocking`, `training`).
"""

import logging
from collections.abc import Sequence

import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator

from huodang.supervision.linkage.comparisons import Comparison
from huodang.supervision.linkage.model import Model
from huodang.supervision.linkage.tables import Records


def weigh(records: Records, comparisons: Sequence[Comparison], model: Model) -> None:
    """Fill `weighed` with each candidate's weight and its parts.

    `weighed` has `left_row, right_row, weight` (base 2, without the prior) and `part_<comparison>`, what a comparison
    adds to the weight, the frequency of the value included. Candidates that more speaks against than for are left out.
    """
    connection = records.connection
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection=connection)
    names = ", ".join(sorted({name for one in comparisons for name in one.columns}))
    offset = 0 if records.same else records.left_rows
    right = (
        ""
        if records.same
        else f"""UNION ALL SELECT row + {offset}, {names} FROM right_rest
            WHERE row IN (SELECT right_row FROM candidate_pair)"""
    )
    either = "OR row IN (SELECT right_row FROM candidate_pair)" if records.same else ""
    connection.execute(f"""CREATE OR REPLACE TABLE weighing_records AS
        SELECT row AS unique_id, {names} FROM left_pool WHERE row IN (SELECT left_row FROM candidate_pair) {either}
        {right}""")
    connection.execute(f"""CREATE OR REPLACE TABLE weighing_pairs AS
        SELECT '0' AS match_key, left_row AS join_key_l, right_row + {offset} AS join_key_r FROM candidate_pair""")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[*model.splink(comparisons)],
        probability_two_random_records_match=0.5,  # a weight of nothing: the prior comes in where links are chosen
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(api.register("weighing_records"), settings, log_level=None, validate_settings=False)
    for name in sorted({level.frequent for one in comparisons for level in one.levels if level.frequent}):
        linker.table_management.register_term_frequency_lookup(api.register(_frequencies(records, name)), name)
    linker.table_management.register_blocked_pairs_for_predict(api.register("weighing_pairs"))
    scored = linker.inference.predict(threshold_match_weight=0, warning_mode="never")
    parts = ", ".join(
        f"mw_{one.name}"
        + (f" + mw_tf_adj_{one.name}" if any(level.frequent for level in one.levels) else "")
        + f" AS part_{one.name}"
        for one in comparisons
    )
    connection.execute(f"""CREATE OR REPLACE TABLE weighed AS
        SELECT unique_id_l AS left_row, unique_id_r - {offset} AS right_row, match_weight AS weight, {parts}
        FROM {scored.physical_name}""")
    scored.drop_table_from_database_and_remove_from_cache()


def _frequencies(records: Records, name: str) -> pa.Table:
    """Tell which share of all records has a value."""
    other = "" if records.same else f"UNION ALL SELECT {name} FROM right_side"
    return records.connection.sql(f"""SELECT {name}, count(*) / sum(count(*)) OVER () AS tf_{name}
        FROM (SELECT {name} FROM left_side {other}) WHERE {name} IS NOT NULL GROUP BY {name}""").to_arrow_table()
