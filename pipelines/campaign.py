"""The campaign of a list: how far down it goes, who on it is left alone, and what a contact is worth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.control import in_control
from models.net_value import highest_offer, list_length, most_contacts, net_value
from pipelines.config import Config

CONTACT, CONTROL, HOLD = "contact", "control", "hold"
CAMPAIGN_COLUMNS = [
    "campaign", "group", "hold", "contact_cost", "assumed_save_rate", "expected_return", "net_value",
    "highest_offer",
]  # fmt: skip
"""Stand at the end of the list, behind the reasons."""


@dataclass(frozen=True)
class CampaignList:
    """A ranked list as far as the campaign goes.

    Parameters
    ----------
    listed : DataFrame
        Those who stay on it.
    columns : DataFrame
        `CAMPAIGN_COLUMNS` of each of them, by the same index.
    facts : dict
        For the manifest: ``id``, ``share``, ``listed``, ``contacts``, ``controls``, ``holds``, and ``cost``
        of one contact.
    """

    listed: pd.DataFrame
    columns: pd.DataFrame
    facts: dict[str, Any]


def campaign_list(ranked: pd.DataFrame, config: Config, horizon: int, *, has_amounts: bool) -> CampaignList:
    """Cut a ranked list to what the campaign can do, and say who of it is left alone.

    Net value rises with value at risk, as margin, save rate and cost are the same for everybody: the list is
    ranked by both.

    Parameters
    ----------
    ranked : DataFrame
        Of `pipelines.score_file.to_act_on`, with the customers' own ids, and ``hold`` (`models.holds`): who
        is let alone for now is in neither group, since those drawn for a contact would else be compared with
        others.
    config : Config
        For ``[campaign]`` and ``[economics]``.
    horizon : int
        Days of the churn probability and the value at risk.
    has_amounts : bool
        False for a shop whose value at risk is counted in orders: these are worth no known money.
    """
    plan, terms = config.campaign, config.economics
    is_held = (ranked["hold"] != "").to_numpy()
    is_control = in_control(ranked["customer_id"], plan.id, plan.control_share) & ~is_held
    brings = worth = offer = np.full(len(ranked), np.nan)
    if terms.margin is not None and terms.save_rate is not None and has_amounts:
        at_risk = ranked["value_at_risk"].to_numpy(np.float64)
        p_churn = ranked[f"p_churn_{horizon}d"].to_numpy(np.float64)
        worth = net_value(at_risk, terms.margin, terms.save_rate, plan.cost)
        brings = worth + plan.cost
        offer = highest_offer(at_risk, p_churn, terms.margin, terms.save_rate, plan.cost)
    pays = ~(worth < 0)  # where it is not known what a contact brings, nobody is left out for it
    kept = list_length(is_control | is_held, pays, most_contacts(plan.capacity, plan.budget, plan.cost))
    group = np.select([is_held[:kept], is_control[:kept]], [HOLD, CONTROL], CONTACT)
    hold = ranked["hold"].to_numpy()[:kept]
    rate = np.nan if terms.save_rate is None else terms.save_rate
    values = (plan.id, group, hold, plan.cost, rate, brings[:kept], worth[:kept], offer[:kept])
    columns = pd.DataFrame(dict(zip(CAMPAIGN_COLUMNS, values, strict=True)), index=ranked.index[:kept])
    controls, held = int(is_control[:kept].sum()), int(is_held[:kept].sum())
    facts = {
        "id": plan.id,
        "share": plan.control_share,
        "listed": kept,
        "contacts": kept - controls - held,
        "controls": controls,
        "holds": held,
        "cost": plan.cost,
    }
    texts = dict.fromkeys(("campaign", "group", "hold"), "str")
    return CampaignList(ranked.drop(columns="hold").head(kept), columns.astype(texts), facts)
