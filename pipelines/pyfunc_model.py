"""The scorer as an MLflow pyfunc (models-from-code): MLflow runs this file when it loads the model.

`repurchase score` does not come this way: it checks every hash first (`pipelines.model_files`) and runs
nothing that lies with the model. What this way does not check stands in docs/security.md.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from pipelines.scorer_files import from_files


class PyfuncScorer(PythonModel):
    """Scores a feature frame (`features.build.to_model_frame`)."""

    def load_context(self, context: Any) -> None:
        """Load the scorer from its files."""
        folder = Path(context.artifacts["scorer"])
        self.scorer = from_files({path.name: path.read_bytes() for path in folder.iterdir()})

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Score customers; see `models.scorer.Scorer.score`.

        Without the shop's ``[economics]``, which are no part of the model: lifetime value is spend. A text
        feature that is left out counts as not known.
        """
        texts = {name: None for name in self.scorer.categories if name not in model_input}
        return self.scorer.score(model_input.assign(**texts).astype(dict.fromkeys(texts, "str")))


set_model(PyfuncScorer())
