"""Score a shop every night with Airflow 3, judge it every week, and refresh on the first of the month."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

COMMAND = "/srv/repurchase/.venv/bin/repurchase --config /srv/shop/repurchase.toml --quiet"
DEFAULTS = {"retries": 3, "retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=6)}

# The date of a run is the day it is due: `score` looks at the rows before it. A backfill
# (`airflow backfill create`) scores each date in a run of its own.
with DAG(
    "repurchase_score",
    schedule="10 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["repurchase"],
):
    BashOperator(task_id="score", bash_command=f"{COMMAND} score --as-of {{{{ ds }}}}")

with DAG(
    "repurchase_outcomes",
    schedule="40 5 * * 1",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["repurchase"],
):
    # 4: no window is over yet, as in the first weeks of a shop.
    BashOperator(
        task_id="outcomes", bash_command=f"{COMMAND} outcomes --as-of {{{{ ds }}}}", skip_on_exit_code=4
    )

with DAG(
    "repurchase_refresh",
    schedule="20 6 1 * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["repurchase"],
):
    # 3: the gate keeps the champion, which is an answer and no failure.
    BashOperator(
        task_id="refresh", bash_command=f"{COMMAND} refresh --as-of {{{{ ds }}}}", skip_on_exit_code=3
    )
