"""What goes wrong in the comparison, told clearly and without a value."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from huodang.exchange.sync.errors import ApplyError, SpaceError


class LongLineError(ApplyError):
    """A row is longer than the reader was told to expect: it is read again with more room."""


@contextmanager
def clear_faults(folder: Path) -> Iterator[None]:
    """Turn what DuckDB raises into errors that say what to do; its own texts may hold values.

    Raises:
        SpaceError: memory or disk ran out.
        LongLineError: a row is longer than expected.
        ApplyError: anything else.
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise SpaceError(
            "比对所需的内存或磁盘空间不够",
            "the comparison lacks memory or disk space",
            advice_chinese="请用 --memory 增加内存，或用 --work-folder 换到空间更大的磁盘。",
            advice_english="Give it more by --memory, or a larger disk by --work-folder.",
        ) from None
    except duckdb.InterruptException:
        raise
    except duckdb.Error as problem:
        text = str(problem).lower()
        if "line size" in text:
            raise LongLineError("一行过长", "a row is too long") from None
        if isinstance(problem, duckdb.IOException) and ("space" in text or "full" in text):
            raise no_space(folder) from None
        raise ApplyError(
            f"比对时出错（{type(problem).__name__}）；目标表没有改动",
            f"the comparison failed ({type(problem).__name__}); the target is unchanged",
            advice_chinese="请把表结构和本消息发给维护者；常见原因是来源库的文本不是有效的 UTF-8。",
            advice_english="Please report the table's structure; often the source's texts aren't valid UTF-8.",
        ) from None


def no_space(folder: Path) -> SpaceError:
    """Say that the disk of the work folder is full."""
    return SpaceError(
        f"工作目录所在磁盘已满：{folder.parent}",
        f"the disk of the work folder is full: {folder.parent}",
        advice_chinese="请腾出空间，或用 --work-folder 换到空间更大的磁盘；目标表没有改动。",
        advice_english="Make room, or name a larger disk by --work-folder; the target is unchanged.",
    )
