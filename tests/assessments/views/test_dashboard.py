"""The dashboard (总览): its figures, the lists behind them, its filters, and who sees what."""

import html
import re
from decimal import Decimal

import pytest

from assessments import demo, demo_city, picture, rollups, rubrics
from assessments.choices import State
from assessments.models import Campaign, DecisionCriterion, DecisionScore, SelfAssessment
from assessments.picture import Path
from assessments.rollups import Figures
from organizations import audit, reference, tree
from organizations.choices import Role, Tier
from organizations.models import Organization
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user

pytestmark = pytest.mark.django_db
URL = "/dashboard/"
LINK = re.compile(r'href="(/oversight/[^"]*)"[^>]*>\s*(?:<strong>)?([^<]*)<')


@pytest.fixture
def campaign(city):
    return factories.make_campaign()


@pytest.fixture
def year(city, campaign):
    """Unions in several states, in both counties; one has moved since it handed in."""
    make_self_assessment(city, campaign, State.DECIDED)
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.foreign)
    below = make_organization(Tier.GRASSROOTS, city.township)
    make_self_assessment(city, campaign, State.DECIDED, organization=below, share="0.6")
    moved = make_organization(Tier.GRASSROOTS, city.township)
    make_self_assessment(city, campaign, State.REVIEWED, organization=moved)
    moved.parent = city.other_township
    tree.replant(moved)
    make_self_assessment(city, campaign, organization=city.sibling, filled=False)
    return campaign


def page(client, user, query=""):
    client.force_login(user)
    response = client.get(f"{URL}?{query}")
    assert response.status_code == 200
    return response


def links(response):
    """(address, what stands in it) of every link to a list of unions."""
    return [
        (html.unescape(address), text.strip())
        for address, text in LINK.findall(response.content.decode())
    ]


@pytest.mark.parametrize("query", ["", "tier=GRASSROOTS", "county=COUNTY"])
def test_every_figure_is_the_length_of_the_list_behind_it(client, city, year, query):
    response = page(client, city.leader, query.replace("COUNTY", city.county.code))
    figures = [(address, text) for address, text in links(response) if text.isdigit()]
    assert len(figures) > 15
    for address, number in figures:
        assert client.get(address).context["paginator"].count == int(number), address


@pytest.mark.parametrize("address", [URL, f"{URL}?tier=GRASSROOTS", "/summary/"])
def test_every_figure_is_a_link_to_a_list(client, city, year, address):
    """Of the years ahead, the policy's thresholds and what is empty there is no list."""
    earlier = factories.make_campaign(year=year.year - 1)
    Campaign.objects.update(cycle_start_year=year.year - 1)
    make_self_assessment(city, earlier, State.DECIDED, organization=city.direct)
    client.force_login(city.lead if address == "/summary/" else city.leader)
    body = client.get(address).content.decode()
    cells = re.findall(r'<td class="number"[^>]*>.*?</td>', body, re.DOTALL)
    plain = [cell for cell in cells if re.search(r">[^<]*\d", cell) and "<a " not in cell]
    assert len(cells) > 20
    assert [cell for cell in plain if "须达" not in cell and "政策要求" not in cell] == []
    # Shares and means lead to the unions that they are made of, of the year that they are of.
    found = {html.unescape(one) for one in re.findall(r'href="(/oversight/[^"]*)', body)}
    assert any(f"year={year.year}" in one for one in found)
    assert (address == "/summary/") or any(f"year={earlier.year}" in one for one in found)
    for one in found:
        assert client.get(one).status_code == 200


def test_what_stands_directly_under_the_city_has_its_list(client, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED, organization=city.direct)
    client.force_login(city.leader)
    for query, expected in (("reached=submitted", 1), ("reached=registered", 1), ("", 1)):
        found = client.get(f"/oversight/?county=direct&{query}").context["paginator"]
        assert (found.count, found.object_list[0].pk) == (expected, city.direct.pk)
    client.force_login(city.county_head)  # of a county nothing is directly under the city
    offered = client.get("/oversight/?county=direct").context["filter"].fields["county"].choices
    assert "direct" not in dict(offered)


def test_what_did_not_apply_or_was_not_counted_is_not_in_the_list(client, city, year):
    """A clause that was declared not applicable, a rate of a union that writes again."""
    client.force_login(city.leader)
    score = DecisionScore.objects.filter(maximum__gt=0).first()
    code = score.indicator.code
    DecisionScore.objects.filter(pk=score.pk).update(points=0, maximum=0, met=False)
    returned = SelfAssessment.objects.get(organization=city.foreign)
    SelfAssessment.objects.filter(pk=returned.pk).update(
        state=State.RETURNED, correction_due=factories.today()
    )
    rollups.rebuild(year)
    scores = rollups.scores_of(year, city.city.path)["GRASSROOTS"]

    def listed(query):
        return client.get(f"/oversight/?tier=GRASSROOTS&{query}").context["paginator"].count

    assert listed(f"scored={code}") == scores[code].unions == 1
    assert listed(f"missed={code}") == scores[code].unions - scores[code].met
    rate = next(one for one, found in scores.items() if found.rated)
    assert listed(f"rated={rate}") == scores[rate].rated == 3


def test_what_was_handed_in_counts_where_the_union_stood_then(client, city, year):
    ranked = page(client, city.leader).context["picture"].ranked()
    counties = {row.code: row.figures for row in ranked}
    assert counties[city.county.code].submitted == 3
    assert counties[city.other_county.code].submitted == 1


def test_the_picture_as_a_whole(client, city, year):
    response = page(client, city.leader)
    body = response.content.decode()
    for heading in (
        "三年达标率与还需走的路",
        "各县（市、区）达标率分布",
        "各县（市、区）达标率排名",
        "进度漏斗",
        "六好得分率",
        "评定总分分布",
        "最薄弱的条款",
        "比率指标",
    ):
        assert heading in body
    weakest = response.context["picture"].weakest()
    shares = [clause.scores.score_percent for clause in weakest]
    assert shares == sorted(shares)
    assert weakest[0].indicator.clause in body  # the policy's own words
    assert "上一年没有创建活动" in body


def test_a_criterion_that_was_missed_leads_to_the_unions(client, city, year):
    missed = DecisionCriterion.objects.filter(met=False).first()
    client.force_login(city.lead)
    found = client.get(f"/oversight/?year={year.year}&missed=C{missed.number}")
    assert [one.name for one in found.context["organizations"]] == [
        missed.decision.self_assessment.organization.name
    ]
    for nonsense in ("C7", "C0", "x", "G1.1", "%27", "C1--"):
        assert client.get(f"/oversight/?missed={nonsense}&band=17&reached=all").status_code == 200


def test_the_trend_against_last_year(client, city, year):
    earlier = factories.make_campaign(year=year.year - 1)
    Campaign.objects.update(cycle_start_year=year.year - 1)
    make_self_assessment(city, earlier, State.SUBMITTED)
    trends = page(client, city.leader).context["picture"].trends()
    trend = next(one for one in trends if one.tier == Tier.GRASSROOTS)
    assert (trend.before.submitted, trend.now.submitted) == (1, 4)
    assert [label for _, label, _, _ in trend.lines()] == ["提交率", "评审率", "达标率"]


@pytest.mark.parametrize(
    ("shares", "left", "figures", "wanted", "a_year"),
    [
        ((30,), 2, (10, 3), (30, 60, 90), 3),
        ((30, 40), 1, (10, 4), (None, 40, 90), 5),
        ((10, 40, 50), 0, (10, 5), (None, None, 50), 4),
        ((95,), 2, (20, 19), (95, 90, 90), 0),
        ((None,), 2, (0, 0), (None, 90, 90), 0),
    ],
)
def test_the_way_to_the_target(shares, left, figures, wanted, a_year):
    registered, at_standard = figures
    path = Path(
        tier=Tier.COUNTY,
        first_year=2026,
        shares=tuple(None if share is None else Decimal(share) for share in shares),
        figures=Figures(registered=registered, at_standard=at_standard),
        target=Decimal(90),
        years_left=left,
    )
    assert path.wanted() == wanted
    assert path.needed_a_year == a_year
    assert [year for year, *_ in path.years()] == [2026, 2027, 2028]


# --- Who sees what --------------------------------------------------------------------------------


def test_a_county_sees_its_own_picture_only(client, city, year):
    response = page(client, city.county_head, f"county={city.other_county.code}")
    assert response.context["top"] == city.county
    assert city.other_county.name not in response.content.decode()
    assert response.context["picture"].together.submitted == 3


def test_a_township_sees_its_own(client, city, year):
    response = page(client, city.township_head)
    assert response.context["top"] == city.township
    assert response.context["picture"].figures["GRASSROOTS"].submitted == 3


def test_an_industrial_union_sees_its_own(client, city, campaign):
    make_organization(Tier.GRASSROOTS, city.industry)
    user = make_user((city.industry, Role.HEAD))
    assert page(client, user).context["picture"].together.registered == 1


@pytest.mark.parametrize("who", ["reporter", "own_viewer", "reviewer", "nobody"])
def test_who_answers_for_nobody_below_has_no_picture(client, city, year, who):
    client.force_login(getattr(city, who))
    assert client.get(URL).status_code == 404


# --- Nothing, and nonsense ------------------------------------------------------------------------


def test_before_the_first_campaign(client, city):
    assert "还没有开放的创建活动" in page(client, city.leader).content.decode()


def test_nothing_handed_in_and_one_tier(client, city, campaign):
    campaign.policies.exclude(tier=Tier.GRASSROOTS).delete()
    body = page(client, city.leader).content.decode()
    assert "还没有评定结果" in body
    assert "0%" in body


def test_nothing_counts(client, city, campaign):
    campaign.outside_target.add(city.city)
    assert "没有计入达标率的工会" in page(client, city.leader).content.decode()


@pytest.mark.parametrize(
    "query", ["year=x", "year=9999", "county=%27", "tier=CITY", "tier=%3Cscript%3E", "page=2"]
)
def test_filters_that_make_no_sense_are_left_out_of_account(client, city, year, query):
    response = page(client, city.leader, query)
    assert response.context["top"] == city.city
    assert len(response.context["picture"].tiers) == 3


# --- The demonstration ----------------------------------------------------------------------------


def test_the_demonstration_city():
    reference.load_divisions()
    rubrics.load()
    assert demo.seed()
    assert demo_city.seed(count=60)
    assert not demo_city.seed(count=60)
    campaigns = list(Campaign.objects.opened())
    assert len(campaigns) == 3
    assert SelfAssessment.objects.filter(state=State.FINAL).exists()
    for campaign in campaigns:
        assert rollups.faults(campaign) == []
    made = SelfAssessment.objects.filter(organization__code__startswith="CITY-")
    final = made.filter(state=State.FINAL).first()
    assert [event.action for event in audit.events_of(final)] == [
        *("FINALISE", "PUBLISH", "DECIDE", "COMPLETE_REVIEW", "BEGIN_REVIEW", "ENDORSE", "SUBMIT")
    ]
    assert list(audit.verify()) == []
    frozen = final.revisions.get().content
    assert sum(Decimal(one["points"] or 0) for one in frozen.values()) == pytest.approx(
        final.self_total, abs=Decimal("0.01")
    )
    counties = Organization.objects.filter(tier=Tier.COUNTY).values_list("code", flat=True)
    assert picture.TILES.keys() == set(counties)
