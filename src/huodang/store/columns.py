"""The one `MetaData`, and column types that give back the values of the field instead of raw text and numbers."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, String
from sqlalchemy.types import TypeDecorator

from huodang.standards import Money, Month

metadata = MetaData(
    # Fixed names, so that a migration can name what it alters on either database.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""One for all rooms; each room's `records.py` registers its tables on it."""

RowNumber = BigInteger().with_variant(Integer, "sqlite")
"""A row's own number as primary key: 64 bits on both databases (SQLite counts up only an INTEGER)."""


class Instant(TypeDecorator[datetime]):
    """An instant: an aware datetime goes in, an aware UTC datetime comes out, on both databases.

    A naive datetime is refused with `ValueError`: nobody can say which moment it means.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC; SQLite keeps it as text without an offset, which sorts by time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone: a naive datetime was given")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class MonthType(TypeDecorator[Month]):
    """A `Month`, kept as the six characters YYYYMM, which sort by time."""

    impl = String(6)
    cache_ok = True

    def process_bind_param(self, value: Month | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # both alike
        """Print the month."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Month | None:  # noqa: ARG002  # both alike
        """Parse the month."""
        return None if value is None else Month.parse(value)


class MoneyType(TypeDecorator[Money]):
    """A `Money`, kept as a whole number of fen (分)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # both alike
        """Give the fen."""
        return None if value is None else value.fen

    def process_result_value(self, value: int | None, dialect: Dialect) -> Money | None:  # noqa: ARG002  # both alike
        """Make the money."""
        return None if value is None else Money(value)
