"""The scorer as files without pickle: parameters as JSON, trees as LightGBM's text."""

import json
from collections.abc import Mapping

from features.errors import ContractError
from models.classifier import trees_from_text, trees_to_text
from models.scorer import Scorer
from pipelines.failures import Refused

STATE = "scorer.json"
TREES = ".trees.txt"


def to_files(scorer: Scorer) -> dict[str, bytes]:
    """Write a scorer as named bytes."""
    state, trees = scorer.to_state()
    files = {STATE: json.dumps(state, indent=1, sort_keys=True).encode()}
    return files | {f"{name}{TREES}": trees_to_text(one).encode() for name, one in sorted(trees.items())}


def from_files(files: Mapping[str, bytes]) -> Scorer:
    """Put a scorer together again from the bytes of `to_files`.

    They hold numbers and no code, but whoever calls this has checked them (`pipelines.model_files`).

    Raises
    ------
    Refused
        If another version wrote them.
    """
    trees = {
        name.removesuffix(TREES): trees_from_text(data.decode())
        for name, data in files.items()
        if name.endswith(TREES)
    }
    try:
        return Scorer.from_state(json.loads(files[STATE]), trees)
    except ContractError as error:
        raise Refused(str(error)) from None
