"""The section `files:` of a gateway's file, read strictly; what it means stands in `docs/files.md`."""

from typing import Annotated, Literal

import msgspec

from huodang.exchange.files.formats import FileFormat
from huodang.exchange.gateway.shapes import Filled, Shape
from huodang.exchange.values import ResourceName


class WatchSpec(Shape, frozen=True, kw_only=True):
    """One resource whose files are packed as they appear.

    Attributes:
        folder: where the department's own system lays them.
        files: which of them, as a pattern; each becomes a delivery of its own, in the order of the names.
        content: what each file holds.
        format: how they are read, where that can't be found from them.
        settle_seconds: a file changed less than this ago may still be growing.
    """

    resource: ResourceName
    folder: Filled
    files: Filled = "*"
    content: Literal["full", "changes"] = "full"
    format: FileFormat | None = None
    settle_seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 30


class FilesSection(Shape, frozen=True, kw_only=True):
    """What the gateway delivers by file.

    Attributes:
        out: folder that the hub's drop folder of this department is fed from: a mounted share, or what a ferry carries.
        every_seconds: how often the folders are looked into.
    """

    deliver: Annotated[tuple[WatchSpec, ...], msgspec.Meta(min_length=1, max_length=64)]
    out: Filled
    every_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 10
