"""The tables of supervision, each kept beside the part that owns it."""

import huodang.supervision.certification.records  # noqa: F401
import huodang.supervision.clues.records  # noqa: F401
import huodang.supervision.control.records  # noqa: F401
import huodang.supervision.recovery.records  # noqa: F401
import huodang.supervision.timeline.records  # noqa: F401
import huodang.supervision.watch.records  # noqa: F401
