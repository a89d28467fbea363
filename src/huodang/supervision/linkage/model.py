"""What was learned about dirt: for each level of agreement, its share among true pairs and among any two records.

A model is a JSON file that `huodang link --model` writes and reads again: training is done once for files of a kind.
The one that ships with the product is what training on generated dirty records gave; it stands in where a file is too
small to learn from, and says so.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from huodang.standards import Place
from huodang.store import write_whole
from huodang.supervision.linkage.comparisons import Comparison
from huodang.supervision.linkage.errors import LinkModelError

_LEAST: Final = 1e-9
_FORMAT: Final = "huodang-link-model-1"


@dataclass(frozen=True)
class Weights:
    """Shares of the levels of one comparison, best level first; each sums to 1."""

    likely: tuple[float, ...]
    chance: tuple[float, ...]


@dataclass(frozen=True)
class Model:
    """Shares for every comparison, and how many of any two records are of one person.

    Attributes:
        weights: by name of the comparison.
        prior: share of true pairs among all pairs.
        learned: `number`: from pairs that agree in number; `weighing`: by expectation–maximisation; `shipped`; `file`.
        pairs: how many true pairs, expected, it was learned from.
    """

    weights: dict[str, Weights]
    prior: float
    learned: str
    pairs: float

    def fits(self, comparisons: Sequence[Comparison]) -> bool:
        """Tell whether it knows all of these comparisons, level by level."""
        return all(
            one.name in self.weights and len(self.weights[one.name].likely) == len(one.levels) for one in comparisons
        )

    def splink(self, comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
        """Describe the comparisons to Splink with what was learned."""
        return [one.splink(self.weights[one.name].likely, self.weights[one.name].chance) for one in comparisons]

    def save(self, path: Path, comparisons: Sequence[Comparison]) -> None:
        """Write the model.

        Raises:
            LinkModelError: it can't be written there.
        """
        described = {
            "format": _FORMAT,
            "learned": self.learned,
            "pairs": round(self.pairs),
            "prior": self.prior,
            "comparisons": {
                one.name: {
                    "levels": [level.english for level in one.levels],
                    "likely": list(self.weights[one.name].likely),
                    "chance": list(self.weights[one.name].chance),
                }
                for one in comparisons
            },
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode())
        except OSError:
            raise LinkModelError("模型文件写不了", "the model can't be written", place=Place(file=path.name)) from None


def load_model(path: Path) -> Model:
    """Read a saved model.

    Raises:
        LinkModelError: it isn't one.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"), "file")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise LinkModelError(
            "不是有效的关联模型文件",
            "this is no model of a linkage",
            advice_chinese="请用 huodang link --model 生成的文件，或删去它重新训练。",
            advice_english="Use a file that huodang link --model wrote, or remove it to train anew.",
            place=Place(file=path.name),
        ) from None


@cache
def shipped_model() -> Model:
    """Give the model that ships with the product; `provenance` in its file says where it comes from."""
    file = resources.files("huodang.supervision.linkage").joinpath("data/default_model.json")
    return _parsed(file.read_text(encoding="utf-8"), "shipped")


def guessed(comparison: Comparison) -> Weights:
    """Give the first guess for a comparison."""
    return Weights(
        normal([level.likely for level in comparison.levels]), normal([level.chance for level in comparison.levels])
    )


def normal(shares: Sequence[float]) -> tuple[float, ...]:
    """Make shares sum to 1, none of them nothing."""
    held = [max(float(share), _LEAST) for share in shares]
    return tuple(share / sum(held) for share in held)


def _parsed(text: str, learned: str) -> Model:
    described = json.loads(text)
    if described["format"] != _FORMAT or not 0 < float(described["prior"]) < 1:
        raise ValueError
    weights = {
        name: Weights(normal(one["likely"]), normal(one["chance"])) for name, one in described["comparisons"].items()
    }
    if any(len(one.likely) != len(one.chance) for one in weights.values()):
        raise ValueError
    return Model(weights, float(described["prior"]), learned, float(described["pairs"]))
