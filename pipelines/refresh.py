"""`repurchase refresh`: train, hold the gate, promote or say why not; for a scheduler."""

from datetime import date

from pipelines.config import Config
from pipelines.console import Answer, Console
from pipelines.promote import promote
from pipelines.train import train


def refresh(config: Config, console: Console, as_of: date | None = None) -> Answer:
    """Train on rows strictly before `as_of` and promote what came of it, if the gate lets it through.

    Parameters
    ----------
    config : Config
        The shop's configuration.
    console : Console
        Where progress goes.
    as_of : date, optional
        Without it, the day after the newest row.

    Returns
    -------
    Answer
        Both answers; exit code 0 if there is a new champion, 3 if the present one stays.
    """
    trained = train(config, console, as_of)
    judged = promote(config, console)
    data = {"train": trained.data, "promote": judged.data}
    return Answer(data, [*trained.lines[:-1], *judged.lines], judged.exit_code)
