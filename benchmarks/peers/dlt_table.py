"""One table from PostgreSQL to a target by `dlt`: run by table_sync.py in an environment of its own.

Arguments: source URL, target URL, backend (connectorx, pyarrow), folder, `full` or
`incremental`. Prints figures as JSON.
"""

import json
import os
import resource
import sys
import time

import dlt
from dlt.sources.sql_database import sql_table


def main() -> None:
    """Load the table once."""
    source, target, backend, folder, mode = sys.argv[1:6]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    is_file = target.startswith("sqlite")
    destination = dlt.destinations.sqlalchemy(target) if is_file else dlt.destinations.postgres(target)
    cursor = dlt.sources.incremental("updated_at") if mode.startswith("incremental") else None
    table = sql_table(
        credentials=source, table="person", backend=backend, incremental=cursor, chunk_size=100_000,
        reflection_level="full_with_precision",
    )  # fmt: skip
    table.apply_hints(primary_key="person_id", write_disposition="merge" if mode == "incremental" else "replace")
    pipeline = dlt.pipeline(
        pipeline_name=f"peer_{backend}",
        destination=destination,
        dataset_name="main" if is_file else "peer",
        pipelines_dir=folder,
    )
    began = time.perf_counter()
    pipeline.run(table)
    wall = time.perf_counter() - began
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in own)
    print(json.dumps({"wall": wall, "cpu": cpu, "peak_mib": max(one.ru_maxrss for one in own) / 1024}))


if __name__ == "__main__":
    main()
