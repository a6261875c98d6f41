"""Who is left alone: as many as asked for, the same for ever, and another lot in another campaign."""

import numpy as np
import pytest
from scipy import stats

from models.control import draws, in_control

IDS = [f"c{number}" for number in range(40_000)]
CAMPAIGNS = ["list", "tet-2027", "Tri ân khách hàng", "a", "b", "x" * 500]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_share_is_that_asked_for_but_for_luck(campaign: str, share: float) -> None:
    low, high = stats.binom.interval(0.9999, len(IDS), share)
    assert low <= in_control(IDS, campaign, share).sum() <= high


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_numbers_are_even(campaign: str) -> None:
    found = draws(IDS, campaign)
    assert stats.kstest(found, "uniform").pvalue > 1e-4
    assert found.min() >= 0
    assert found.max() < 1


def test_campaigns_draw_independently_of_one_another() -> None:
    drawn = np.array([draws(IDS, campaign) for campaign in CAMPAIGNS])
    between = np.corrcoef(drawn)[np.triu_indices(len(CAMPAIGNS), 1)]
    assert np.abs(between).max() < 4.5 / np.sqrt(len(IDS))


def test_neighbouring_ids_are_drawn_independently() -> None:
    found = draws(IDS, "list")
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 4.5 / np.sqrt(len(IDS))


def test_order_and_company_do_not_matter() -> None:
    whole = dict(zip(IDS, in_control(IDS, "list", 0.1), strict=True))
    backwards = IDS[::-1][:1_000]
    assert in_control(backwards, "list", 0.1).tolist() == [whole[one] for one in backwards]


def test_a_larger_share_keeps_those_of_the_smaller() -> None:
    small, large = (in_control(IDS, "list", share) for share in (0.1, 0.2))
    assert (large | ~small).all()
    assert large.sum() > small.sum()


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (1.0, len(IDS))])
def test_nobody_and_everybody(share: float, expected: int) -> None:
    assert in_control(IDS, "list", share).sum() == expected


def test_nobody_asked() -> None:
    assert in_control([], "list", 0.1).tolist() == []


PUBLISHED = {
    ("17850", "list"): 4_870_840_981_474_593,
    ("12583", "list"): 6_707_579_886_850_643,
    ("00017850", "list"): 1_595_896_837_450_291,
    ("Nguyễn Thị Ánh", "list"): 4_104_097_786_806_135,
    ("Nguyễn Thị Ánh", "tết-2027"): 5_130_438_775_389_555,
    ("", "list"): 2_640_608_508_397_162,
}
"""Never to be changed: in a campaign that is under way, customers would change sides."""


@pytest.mark.parametrize(("who", "campaign"), PUBLISHED)
def test_published_numbers_never_change(who: str, campaign: str) -> None:
    assert draws([who], campaign)[0] * 2**53 == PUBLISHED[who, campaign]
