"""Peer: Splink 5 as its guide uses it, on the payees and notices of `benchmarks.linkage`: no repair, no rivals.

`splink_plain.py PAYEES NOTICES LINKS` writes the links at probability 0.95 and prints the seconds as JSON.
"""

# ruff: noqa: S608  (statements are made of this module's own names)

import json
import logging
import sys
import time

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison, ExactMatch


def main() -> None:
    """Link by Splink alone."""
    payees, notices, out = sys.argv[1:]
    logging.getLogger("splink").setLevel(logging.ERROR)
    began = time.perf_counter()
    connection = duckdb.connect()
    read = """CREATE TABLE {0} AS SELECT row_number() OVER () - 1 AS unique_id, nullif("身份证号", '') AS number,
        "姓名" AS name, "性别" AS sex, replace("出生日期", '-', '') AS birth, "行政区划" AS region
        FROM read_parquet('{1}')"""
    connection.execute("SET threads = 2")
    connection.execute(read.format("payees", payees))
    connection.execute(read.format("notices", notices))
    api = DuckDBAPI(connection=connection)
    birth = [
        {"sql_condition": "birth_l IS NULL OR birth_r IS NULL", "is_null_level": True},
        {"sql_condition": "birth_l = birth_r"},
        {"sql_condition": "damerau_levenshtein(birth_l, birth_r) <= 1"},
        {"sql_condition": "substr(birth_l, 1, 4) = substr(birth_r, 1, 4)"},
        {"sql_condition": "ELSE"},
    ]
    number = [
        {"sql_condition": "number_l IS NULL OR number_r IS NULL", "is_null_level": True},
        {"sql_condition": "number_l = number_r"},
        {"sql_condition": "damerau_levenshtein(number_l, number_r) <= 2"},
        {"sql_condition": "ELSE"},
    ]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            CustomComparison(number, output_column_name="number"),
            ExactMatch("name").configure(term_frequency_adjustments=True),
            CustomComparison(birth, output_column_name="birth"),
            ExactMatch("sex"),
            ExactMatch("region").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"),
            block_on("name", "substr(birth, 1, 4)"),
            block_on("birth", "region"),
            block_on("name", "region"),
        ],
        retain_matching_columns=False,
    )
    linker = Linker([api.register("payees"), api.register("notices")], settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("number")], recall=0.46)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "region"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("birth"))
    found = linker.inference.predict(threshold_match_probability=0.95)
    connection.execute(f"""COPY (SELECT unique_id_l AS left_row, unique_id_r AS right_row FROM {found.physical_name}
        QUALIFY row_number() OVER (PARTITION BY unique_id_r ORDER BY match_weight DESC) = 1)
        TO '{out}' (FORMAT PARQUET)""")
    print(json.dumps({"seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
