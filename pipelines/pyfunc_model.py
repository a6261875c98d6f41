"""The scorer as an MLflow pyfunc (models-from-code): MLflow runs this file when it loads the model.

`repurchase score` does not come this way; it checks every hash first (`pipelines.scorer_files`).
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from pipelines.scorer_files import digest, from_files, read_files


class PyfuncScorer(PythonModel):
    """Scores a feature frame (`features.build.to_model_frame`)."""

    def load_context(self, context: Any) -> None:
        """Load the scorer from its files."""
        files = read_files(Path(context.artifacts["scorer"]))
        self.scorer = from_files(files, digest(files))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Score customers; see `models.scorer.Scorer.score`.

        Without the shop's ``[economics]``, which are no part of the model: lifetime value is spend. A text
        feature that is left out counts as not known.
        """
        texts = {name: None for name in self.scorer.categories if name not in model_input}
        return self.scorer.score(model_input.assign(**texts).astype(dict.fromkeys(texts, "str")))


set_model(PyfuncScorer())
