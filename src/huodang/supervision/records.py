"""The tables of supervision, each kept beside the part that owns it."""

import huodang.supervision.certification.records
import huodang.supervision.clues.records
import huodang.supervision.control.records
import huodang.supervision.recovery.records
import huodang.supervision.timeline.records
import huodang.supervision.watch.records
