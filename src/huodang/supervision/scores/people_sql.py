"""The statements that make one row of each person and scheme out of the prepared tables, for DuckDB.

Money stays in whole fen. Whatever is taken of several rows is a maximum, a sum or a median, so that the order of rows
can't matter.
"""

from typing import Final

# Whoever is younger seldom lives in a home for the old.
_HOME_AGE: Final = 75

_ORDINAL: Final = "({0} // 100 * 12 + {0} % 100 - 1)::INTEGER"


def _ordinal(column: str) -> str:
    return _ORDINAL.format(column)


MONTHLY: Final = f"""
CREATE TEMP VIEW monthly AS
SELECT person, coalesce(scheme, '') AS scheme, {_ordinal("month")} AS month, min(row) AS row,
    sum(fen) FILTER (WHERE kind IS DISTINCT FROM 'back_pay')::BIGINT AS fen,
    sum(fen) FILTER (WHERE kind = 'back_pay')::BIGINT AS lump,
    max((kind = 'back_pay' AND decision IS NULL)::TINYINT) AS undecided, max(expected_fen) AS expected,
    max(account) AS account, max(region) AS region, max(category) AS category, max(benefit_from) AS started
FROM payments WHERE person IS NOT NULL AND coalesce(fault, 0) = 0 AND month IS NOT NULL AND fen IS NOT NULL
GROUP BY ALL
"""
# With one month there is nothing to aggregate a second time.
PAID_ONE_MONTH: Final = """
CREATE TEMP TABLE paid AS SELECT person, scheme, row, month AS latest, 1 AS months, fen, fen AS highest, fen AS middle,
    lump, undecided, expected, account, region, category, started FROM monthly WHERE fen IS NOT NULL OR lump IS NOT NULL
"""
PAID: Final = """
CREATE TEMP TABLE paid AS
SELECT person, scheme, arg_max(row, month) AS row, max(month) AS latest, count(fen)::INTEGER AS months,
    arg_max(fen, month) FILTER (WHERE fen IS NOT NULL) AS fen, max(fen) AS highest, quantile_disc(fen, 0.5) AS middle,
    sum(lump)::BIGINT AS lump, max(undecided) AS undecided,
    arg_max(expected, month) FILTER (WHERE fen IS NOT NULL AND expected IS NOT NULL) AS expected,
    arg_max(account, month) FILTER (WHERE account IS NOT NULL) AS account, max(region) AS region,
    max(category) AS category, max(started) AS started
FROM monthly GROUP BY person, scheme
"""
FILED: Final = """
CREATE TEMP TABLE filed AS
SELECT person, max(category) AS category, max(retirement_month) AS started, max(special) AS special,
    max(employer) AS employer, max(doctor) AS doctor, max(clerk) AS clerk, max(address) AS address,
    max(contribution_months) AS credited, max(overrides) AS overrides
FROM archives WHERE person IS NOT NULL GROUP BY person
"""
CONTRIBUTED: Final = f"""
CREATE TEMP TABLE contributed AS
WITH rows AS (
    SELECT person, {_ordinal("month")} AS month, fen FROM enrolments
    WHERE person IS NOT NULL AND month IS NOT NULL AND kind IS DISTINCT FROM 'benefit'
), ends AS (
    SELECT person, max(month) AS last, count(DISTINCT month)::INTEGER AS found FROM rows GROUP BY person
)
SELECT person, any_value(last) AS last, any_value(found) AS found,
    (sum(fen) FILTER (WHERE month > last - 12) // count(fen) FILTER (WHERE month > last - 12))::BIGINT AS recent,
    (sum(fen) FILTER (WHERE month <= last - 12) // count(fen) FILTER (WHERE month <= last - 12))::BIGINT AS before
FROM rows JOIN ends USING (person) GROUP BY person
"""
TRACES: Final = """
CREATE TEMP TABLE traces AS SELECT person, max(day)::INTEGER AS day FROM (
    SELECT person, last_on AS day FROM visits UNION ALL SELECT person, certified_on FROM certifications
    UNION ALL SELECT person, (last // 12 * 10000 + (last % 12 + 1) * 100 + 28) FROM contributed
) WHERE person IS NOT NULL AND day IS NOT NULL GROUP BY person
"""
# People of one address who share an account are a household or a home: what counts is how many homes it serves.
SHARED_ACCOUNTS: Final = """
CREATE TEMP TABLE shared_accounts AS
WITH several AS (
    SELECT account FROM paid WHERE account IS NOT NULL
        AND account NOT IN (SELECT account FROM institutions WHERE account IS NOT NULL)
    GROUP BY account HAVING min(person) <> max(person)
)
SELECT account, count(DISTINCT person)::INTEGER AS people,
    (count(DISTINCT address) + count(DISTINCT person) FILTER (WHERE address IS NULL))::INTEGER AS homes
FROM paid SEMI JOIN several USING (account) LEFT JOIN filed USING (person) GROUP BY account
"""
# The old live in homes; a crowd of pensioners who needn't is what counts.
SHARED_ADDRESSES: Final = f"""
CREATE TEMP TABLE shared_addresses AS SELECT address, count(*)::INTEGER AS people
FROM filed SEMI JOIN paid USING (person)
WHERE address IS NOT NULL
    AND person // 10000000 % 10000 > (SELECT coalesce(max(latest), 0) // 12 FROM paid) - {_HOME_AGE}
GROUP BY address HAVING count(*) > 1
"""
PEOPLE: Final = """
SELECT p.person, p.row, schemes.code AS scheme, coalesce(regions.code, -1) AS region,
    coalesce(prefectures.code, -1) AS prefecture,
    p.latest, p.months, coalesce(p.fen, 0) AS fen, coalesce(p.highest, 0) AS highest, coalesce(p.middle, 0) AS middle,
    coalesce(p.lump, 0) AS lump, (1 - coalesce(p.undecided, 0))::INTEGER AS decided,
    coalesce(p.expected, -1) AS expected,
    (p.person // 1000 % 100000000)::INTEGER AS born, (2 - p.person % 2)::INTEGER AS sex,
    coalesce(f.category, p.category, '') AS category,
    coalesce(f.started // 100 * 12 + f.started % 100,
        p.started // 100 * 12 + p.started % 100, 0)::INTEGER - 1 AS started,
    coalesce(f.special, -1)::INTEGER AS special, coalesce(f.credited, -1) AS credited, coalesce(c.found, -1) AS found,
    coalesce(c.recent, -1) AS recent, coalesce(c.before, -1) AS before, coalesce(t.day, -1) AS trace,
    coalesce(employers.code, -1) AS employer, coalesce(doctors.code, -1) AS doctor, coalesce(clerks.code, -1) AS clerk,
    coalesce(f.overrides, -1) AS overrides, coalesce(p.account, -1) AS account, coalesce(f.address, -1) AS address,
    coalesce(sa.people, 1) AS account_people, coalesce(sa.homes, 1) AS account_homes,
    coalesce(sd.people, 1) AS address_people
FROM paid p LEFT JOIN filed f USING (person) LEFT JOIN contributed c USING (person) LEFT JOIN traces t USING (person)
    JOIN schemes ON schemes.text = p.scheme LEFT JOIN regions ON regions.text = p.region
    LEFT JOIN prefectures ON prefectures.text = p.region[:4]
    LEFT JOIN employers ON employers.text = f.employer LEFT JOIN doctors ON doctors.text = f.doctor
    LEFT JOIN clerks ON clerks.text = f.clerk LEFT JOIN shared_accounts sa USING (account)
    LEFT JOIN shared_addresses sd ON sd.address = f.address
ORDER BY p.person, p.scheme
"""
# Which texts become codes: table of codes → the texts.
CODED: Final[dict[str, str]] = {
    "schemes": "SELECT scheme AS text FROM paid",
    "regions": "SELECT region AS text FROM paid",
    "prefectures": "SELECT region[:4] AS text FROM paid",
    "employers": "SELECT employer AS text FROM filed",
    "doctors": "SELECT doctor AS text FROM filed",
    "clerks": "SELECT clerk AS text FROM filed",
}
