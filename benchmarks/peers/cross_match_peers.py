"""What people write by hand for the five rules: DuckDB and PostgreSQL in SQL, pandas, and numba on packed keys.

`python cross_match_peers.py SIDE FOLDER` prints one line of JSON with what was found; in an environment of its own.
"""

# ruff: noqa: S608, PLC0415, E501  (SQL of its own names, each side imports its own libraries, statements stay whole)

import json
import os
import resource
import sys
import time
from pathlib import Path

MONTH_START = "2024-05-01"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def by_duckdb(folder):
    """Joins on text, the check digit from its characters."""
    import duckdb

    connection = duckdb.connect()
    for kind in ("payments", "deaths", "custody", "enrolments"):
        connection.execute(f"CREATE VIEW {kind} AS SELECT * FROM '{folder}/{kind}.parquet'")
    total = "+".join(
        f"substr(公民身份号码, {place + 1}, 1)::INTEGER * {weight}" for place, weight in enumerate(WEIGHTS)
    )
    one = {
        "paid_after_death": f"SELECT count(*) FROM payments WHERE 公民身份号码 IN (SELECT 身份证号 FROM deaths WHERE 死亡日期 < '{MONTH_START}')",
        "paid_in_custody": "SELECT count(*) FROM payments WHERE 公民身份号码 IN (SELECT 证件号码 FROM custody WHERE 羁押开始日期 < "
        f"'{MONTH_START}' AND (羁押结束日期 IS NULL OR 羁押结束日期 >= '{MONTH_START}'))",
        "paid_twice": "SELECT count(*) FROM payments p WHERE EXISTS (SELECT 1 FROM enrolments e WHERE e.身份证号码 = p.公民身份号码 "
        "AND e.发放年月 = p.发放年月 AND e.险种 <> p.险种)",
        "identity_invalid": f"SELECT count(*) FROM payments WHERE substr('10X98765432', ({total}) % 11 + 1, 1) <> substr(公民身份号码, 18, 1)",
        "account_shared": "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) n FROM payments GROUP BY 银行账号 "
        "HAVING count(DISTINCT 公民身份号码) > 3)",
    }
    return {code: int(connection.execute(sql).fetchone()[0]) for code, sql in one.items()}, 0.0


def by_pandas(folder):
    """Merges and boolean masks, as an analyst writes them."""
    import numpy as np
    import pandas as pd

    payments, deaths, custody, enrolments = (
        pd.read_parquet(folder / f"{kind}.parquet") for kind in ("payments", "deaths", "custody", "enrolments")
    )
    number = payments["公民身份号码"]
    dead = number.isin(deaths.loc[deaths["死亡日期"] < MONTH_START, "身份证号"])
    term = (custody["羁押开始日期"] < MONTH_START) & (
        custody["羁押结束日期"].isna() | (custody["羁押结束日期"] >= MONTH_START)
    )
    inside = number.isin(custody.loc[term, "证件号码"])
    keys = enrolments[["身份证号码", "发放年月"]].drop_duplicates()
    twice = payments[["公民身份号码", "发放年月"]].merge(
        keys, left_on=["公民身份号码", "发放年月"], right_on=["身份证号码", "发放年月"]
    )
    codes = np.frombuffer("".join(number).encode("ascii"), dtype=np.uint8).reshape(-1, 18)
    total = ((codes[:, :17] - 48).astype(np.int32) * np.array(WEIGHTS, dtype=np.int32)).sum(axis=1)
    wrong = np.frombuffer(b"10X98765432", dtype=np.uint8)[total % 11] != codes[:, 17]
    people = payments.groupby("银行账号")["公民身份号码"].nunique()
    shared = payments["银行账号"].isin(people[people > 3].index)
    return {
        "paid_after_death": int(dead.sum()),
        "paid_in_custody": int(inside.sum()),
        "paid_twice": len(twice),
        "identity_invalid": int(wrong.sum()),
        "account_shared": int(shared.sum()),
    }, 0.0


def by_postgresql(folder):
    """COPY into unlogged tables, then the same SQL."""
    import duckdb
    import psycopg

    server = os.environ.get("HUODANG_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
    columns = {
        "payments": "number text, name text, scheme text, month int, fen bigint, account text, region text",
        "deaths": "number text, died text",
        "custody": "number text, begun text, ended text",
        "enrolments": "number text, scheme text, month int, fen bigint",
    }
    total = "+".join(f"substr(number, {place + 1}, 1)::int * {weight}" for place, weight in enumerate(WEIGHTS))
    queries = {
        "paid_after_death": f"SELECT count(*) FROM payments WHERE number IN (SELECT number FROM deaths WHERE died < '{MONTH_START}')",
        "paid_in_custody": f"SELECT count(*) FROM payments WHERE number IN (SELECT number FROM custody WHERE begun < '{MONTH_START}' "
        f"AND (ended IS NULL OR ended >= '{MONTH_START}'))",
        "paid_twice": "SELECT count(*) FROM payments p WHERE EXISTS (SELECT 1 FROM enrolments e WHERE e.number = p.number "
        "AND e.month = p.month AND e.scheme <> p.scheme)",
        "identity_invalid": f"SELECT count(*) FROM payments WHERE substr('10X98765432', ({total}) % 11 + 1, 1) <> substr(number, 18, 1)",
        "account_shared": "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) n FROM payments GROUP BY account "
        "HAVING count(DISTINCT number) > 3) t",
    }
    reader = duckdb.connect()
    began = time.perf_counter()
    with psycopg.connect(server) as connection:
        for kind, described in columns.items():
            connection.execute(f"CREATE TEMP TABLE {kind} ({described})")
            file = folder / f"{kind}.copy.csv"
            reader.execute(f"COPY (FROM '{folder}/{kind}.parquet') TO '{file}' (HEADER false)")
            with connection.cursor().copy(f"COPY {kind} FROM STDIN (FORMAT csv)") as copy, file.open("rb") as source:
                while block := source.read(1 << 20):
                    copy.write(block)
            file.unlink()
            connection.execute(f"ANALYZE {kind}")
        loading = time.perf_counter() - began
        found = {code: int(connection.execute(sql).fetchone()[0]) for code, sql in queries.items()}
    return found, loading


def by_numba(folder):
    """Packed 64-bit keys, sorted, searched and summed by compiled loops: near what the machine can do."""
    import duckdb
    import numba
    import numpy as np

    pack = "substr({0}, 1, 17)::BIGINT AS person"
    connection = duckdb.connect()

    def columns(sql):
        return connection.execute(sql).fetchnumpy()

    @numba.njit(cache=False)
    def wrong_signs(person, last):
        count = 0
        for index in range(person.shape[0]):
            rest, total, weight = person[index], 0, 2
            for _ in range(17):
                total += (rest % 10) * weight
                rest //= 10
                weight = weight * 2 % 11
            count += (total + last[index]) % 11 != 1
        return count

    @numba.njit(cache=False)
    def among(person, keys):
        count = 0
        at, size = 0, keys.shape[0]
        for index in range(person.shape[0]):
            while at < size and keys[at] < person[index]:
                at += 1
            count += at < size and keys[at] == person[index]
        return count

    @numba.njit(cache=False)
    def shared(accounts, persons):
        count = start = 0
        for index in range(1, accounts.shape[0] + 1):
            if index == accounts.shape[0] or accounts[index] != accounts[start]:
                if index - start > 3 and np.unique(persons[start:index]).shape[0] > 3:
                    count += index - start
                start = index
        return count

    began = time.perf_counter()
    empty = np.zeros(1, dtype=np.int64)
    wrong_signs(empty, empty.astype(np.int8)), among(empty, empty), shared(empty, empty)
    compiling = time.perf_counter() - began
    began = time.perf_counter()
    pay = columns(
        f"SELECT {pack.format('公民身份号码')}, (CASE WHEN substr(公民身份号码, 18, 1) = 'X' THEN 10 ELSE "
        f"substr(公民身份号码, 18, 1)::TINYINT END)::TINYINT AS last, (hash(银行账号) >> 4)::BIGINT AS account "
        f"FROM '{folder}/payments.parquet'"
    )
    dead = columns(f"SELECT {pack.format('身份证号')} FROM '{folder}/deaths.parquet' WHERE 死亡日期 < '{MONTH_START}'")[
        "person"
    ]
    inside = columns(
        f"SELECT {pack.format('证件号码')} FROM '{folder}/custody.parquet' WHERE 羁押开始日期 < '{MONTH_START}'"
    )["person"]
    other = columns(f"SELECT {pack.format('身份证号码')} FROM '{folder}/enrolments.parquet'")["person"]
    person, accounts = np.sort(pay["person"]), np.argsort(pay["account"])
    for keys in (dead, inside, other):
        keys.sort()
    loading = time.perf_counter() - began
    return (
        {
            "paid_after_death": int(among(person, dead)),
            "paid_in_custody": int(among(person, inside)),
            "paid_twice": int(among(person, other)),
            "identity_invalid": int(wrong_signs(pay["person"], pay["last"])),
            "account_shared": int(shared(pay["account"][accounts], pay["person"][accounts])),
        },
        loading,
        compiling,
    )


def main(side, folder):
    began = time.perf_counter()
    sides = {"duckdb": by_duckdb, "pandas": by_pandas, "postgresql": by_postgresql, "numba": by_numba}
    # Compiling loops isn't what is compared: it is taken out of the wall clock, and told apart.
    found, loading, *compiling = sides[side](folder)
    own = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "wall": time.perf_counter() - began - sum(compiling),
        "compiling": sum(compiling),
        "cpu": own.ru_utime + own.ru_stime,
        "peak_mib": own.ru_maxrss / 1024,
        "found": found,
    }
    print(json.dumps(figures | ({"load": loading} if loading else {})))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
