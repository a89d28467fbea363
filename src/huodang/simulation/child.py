"""Runs `huodang …` as a child process that can't outlive its parent.

Called as `python -m huodang.simulation.child serve hub --config FILE`. The parent holds the other end of this process's
standard input. When the parent ends, in whatever way, the pipe closes, and the child ends too. It works on every
system, unlike a death signal, and needs no cooperation of the program that is run.
"""

import os
import runpy
import signal
import sys
import threading
import time

_GRACE_SECONDS = 5.0


def _end_with_parent() -> None:
    # Not through sys.stdin: its lock would be held by this thread when the interpreter ends.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)  # it didn't heed the request; a process left running behind the demonstration is worse


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    sys.argv[0] = "huodang"
    runpy.run_module("huodang", run_name="__main__")
