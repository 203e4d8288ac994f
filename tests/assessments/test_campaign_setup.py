"""创建活动 from last year's settings to the archive, over HTTP."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from assessments import campaigns, deadlines, setting_up
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState, State
from assessments.models import Campaign
from organizations import audit
from organizations.models import AuditEvent, Notification, User
from tests import factories
from tests.factories import PASSWORD, give_password, make_self_assessment

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


def page(client, step, year):
    name = f"assessments:campaign_{step}" if step else "assessments:campaign"
    return reverse(name, args=[year])


def form_data(response):
    """What the page's forms hold, as a browser would send it."""
    data = {}
    for form in response.context["forms"]:
        for bound in form:
            value = bound.value()
            if value is False or value is None:
                continue
            data[bound.html_name] = "on" if value is True else str(value)
    return data


@pytest.fixture
def admin(client, city):
    client.force_login(give_password(city.admin))
    return client


@pytest.fixture
def prepared(admin, campaign):
    """Next year's campaign, copied from this year's."""
    url = reverse("assessments:campaign_add")
    initial = admin.get(url).context["form"].initial
    sent = {"year": initial["year"], "name": initial["name"], "earlier": initial["earlier"].pk}
    response = admin.post(url, sent)
    made = Campaign.objects.get(year=campaign.year + 1)
    assert response.url == page(admin, "days", made.year)
    return made


def test_everything_is_taken_over_with_its_days_moved(campaign, prepared):
    assert prepared.state == CampaignState.PREPARING
    assert prepared.name.startswith(f"{campaign.year + 1}年度")
    assert prepared.cycle_start_year == campaign.cycle_start_year
    assert prepared.pass_total == campaign.pass_total
    same = ("tier", "rubric", "reviewers", "endorsement_required")
    assert list(prepared.policies.values_list(*same)) == list(campaign.policies.values_list(*same))
    assert prepared.plan_deadline == campaign.plan_deadline.replace(year=prepared.year)
    assert prepared.submission_deadline >= campaign.submission_deadline + dt.timedelta(days=365)


def test_a_free_day_is_moved_but_for_the_30th_of_april(campaign):
    campaign.plan_deadline = dt.date(2022, 4, 30)  # a Saturday of 2022, and of 2033
    campaign.opens_on = dt.date(2024, 2, 29)
    campaign.review_deadline = dt.date(2025, 11, 28)  # 28 November 2026 is a Saturday
    campaign.year = 2025
    days = setting_up.moved_days(campaign, 2026)
    assert days["plan_deadline"] == dt.date(2023, 4, 30)
    assert days["opens_on"] == dt.date(2025, 2, 28)
    assert days["review_deadline"] == dt.date(2026, 11, 30)


def test_a_first_campaign_has_the_usual_settings(city):
    made = setting_up.create(2031, "首个活动", None, fresh(city.admin))
    assert made.plan_deadline == dt.date(2031, 4, 30)
    assert made.policies.count() == 3
    assert campaigns.opening_problems(made) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"year": ""}, "请填写年度"),
        ({"year": "明年"}, "请填写年度，例如"),
        ({"name": "  "}, "请填写名称"),
        ({"earlier": "999"}, "请从列表中选择"),
    ],
)
def test_a_start_that_makes_no_sense(admin, campaign, change, said):
    sent = {"year": campaign.year + 1, "name": "新活动", "earlier": campaign.pk} | change
    assert said in admin.post(reverse("assessments:campaign_add"), sent).content.decode()
    assert Campaign.objects.count() == 1


def test_the_same_year_twice_is_refused(admin, campaign, city):
    sent = {"year": campaign.year, "name": "又一个", "earlier": campaign.pk}
    again = admin.post(reverse("assessments:campaign_add"), sent).content.decode()
    assert f"{campaign.year} 年的创建活动已经有了" in again
    with pytest.raises(NotAllowed, match="已经有了"):
        setting_up.create(campaign.year, "又一个", campaign, fresh(city.admin))


def test_the_steps_lead_one_to_the_next_and_are_on_record(admin, prepared):
    year = prepared.year
    for step, following in (("days", "rubrics"), ("rubrics", "rules"), ("rules", "")):
        url = page(admin, step, year)
        data = form_data(admin.get(url))
        if step == "rules":
            data["pass_total"] = "85"
        assert admin.post(url, data).url == page(admin, following, year)
    prepared.refresh_from_db()
    assert prepared.pass_total == 85
    changed = AuditEvent.objects.get(action="CAMPAIGN_CHANGED").details
    assert changed["达标总分"] == "80.00 → 85"
    assert list(audit.verify()) == []


def test_days_in_the_wrong_order_are_told_at_the_day(admin, prepared):
    url = page(admin, "days", prepared.year)
    data = form_data(admin.get(url))
    data["review_deadline"] = prepared.opens_on.isoformat()
    response = admin.post(url, data)
    assert response.context["forms"][0].errors["review_deadline"] == ["不能早于自评提交截止日期。"]
    assert data["name"] in response.content.decode()
    prepared.refresh_from_db()
    assert prepared.review_deadline > prepared.submission_deadline


def test_who_saves_after_somebody_else_is_told(admin, prepared):
    url = page(admin, "rules", prepared.year)
    data = form_data(admin.get(url))
    Campaign.objects.filter(pk=prepared.pk).update(pass_total=70)
    response = admin.post(url, data | {"target_percent": "95"})
    assert "别人改过这些设置" in response.content.decode()
    again = form_data(response)
    assert again["target_percent"] == "95"
    assert admin.post(url, again).status_code == 302
    prepared.refresh_from_db()
    assert prepared.target_percent == 95


def test_a_tier_is_left_out_and_taken_in_again(admin, prepared):
    url = page(admin, "rubrics", prepared.year)
    data = form_data(admin.get(url))
    del data["county-takes_part"]
    admin.post(url, data)
    assert set(prepared.policies.values_list("tier", flat=True)) == {"TOWNSHIP", "GRASSROOTS"}
    data = form_data(admin.get(url)) | {"county-takes_part": "on", "county-reviewers": "2"}
    assert "请选择标准" in admin.post(url, data).content.decode()
    rubric = factories.Rubric.objects.get(tier="COUNTY")
    assert admin.post(url, data | {"county-rubric": rubric.pk}).status_code == 302
    assert prepared.policies.get(tier="COUNTY").reviewers == 2


def test_the_check_lists_what_is_not_in_order(admin, city, prepared):
    prepared.policies.filter(tier="GRASSROOTS").update(reviewers=5)
    User.objects.filter(pk=city.own_viewer.pk).update(is_active=True)
    text = admin.get(page(admin, "", prepared.year)).content.decode()
    assert "个基层工会没有负责人账号" in text
    assert "每份申报要 5 位评审员" in text
    mute = admin.get("/organizations/?tier=GRASSROOTS&head=none").content.decode()
    assert city.own.name not in mute
    prepared.policies.all().delete()
    response = admin.get(page(admin, "", prepared.year))
    assert "须先解决" in response.content.decode()
    assert page(admin, "open", prepared.year) not in response.content.decode()
    opened = admin.post(page(admin, "open", prepared.year), {"password": PASSWORD})
    assert "还没有设置任何层级的标准" in opened.content.decode()


def test_opened_by_the_own_password_and_fixed_from_then_on(admin, prepared):
    url = page(admin, "open", prepared.year)
    assert "密码不正确" in admin.post(url, {"password": "不对"}).content.decode()
    admin.post(url, {"password": PASSWORD})
    prepared.refresh_from_db()
    assert prepared.state == CampaignState.OPEN
    for step in ("days", "rubrics", "rules"):
        assert admin.get(page(admin, step, prepared.year)).status_code == 302
        told = admin.post(page(admin, step, prepared.year), {}, follow=True).content.decode()
        assert "设置已经固定，没有保存" in told


def test_two_campaigns_side_by_side(client, city, campaign, prepared):
    campaigns.open_campaign(prepared, by=None)
    client.force_login(city.head)
    for year in (campaign.year, prepared.year):
        assert f"{year}年度" in client.get(f"/?year={year}").content.decode()


# --- More time ------------------------------------------------------------------------------------


def test_more_time_for_everybody_with_a_reason(admin, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    url = page(admin, "extend", campaign.year)
    later = campaign.submission_deadline + dt.timedelta(days=3)
    sent = {name: getattr(campaign, name) or "" for name in campaigns.EXTENDABLE}
    assert "没有改动" in admin.post(url, sent | {"reason": "暴雨"}).content.decode()
    sent |= {"submission_deadline": later}
    assert "请填写理由" in admin.post(url, sent | {"reason": " "}).content.decode()
    assert admin.post(url, sent | {"reason": "暴雨"}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.submission_deadline == later
    told = Notification.objects.filter(text__contains=f"延至 {later}")
    assert told.filter(recipient=city.sibling_head).exists()
    assert not told.filter(recipient=city.head).exists()
    assert AuditEvent.objects.get(action="CAMPAIGN_EXTENDED").details["reason"] == "暴雨"


@pytest.mark.parametrize(
    ("field", "days", "said"),
    [
        ("submission_deadline", -1, "只能往后延"),
        ("submission_deadline", 9999, "不能早于自评提交截止"),
    ],
)
def test_more_time_that_makes_no_sense(admin, campaign, field, days, said):
    sent = {name: getattr(campaign, name) or "" for name in campaigns.EXTENDABLE}
    sent |= {field: sent[field] + dt.timedelta(days=days), "reason": "暴雨"}
    assert said in admin.post(page(admin, "extend", campaign.year), sent).content.decode()
    before = getattr(campaign, field)
    campaign.refresh_from_db()
    assert getattr(campaign, field) == before


def test_only_an_open_campaign_gets_more_time(city, campaign):
    campaigns.close_campaign(campaign, by=None)
    with pytest.raises(NotAllowed, match="没有开放"):
        campaigns.extend(campaign, {}, "暴雨", fresh(city.admin))
    campaigns.open_campaign(campaign, by=None)
    late = {"review_deadline": campaign.submission_deadline + dt.timedelta(days=900)}
    campaigns.extend(campaign, late, "暴雨", fresh(city.admin))
    day = late["review_deadline"] + dt.timedelta(days=1)
    with pytest.raises(ValidationError):
        campaigns.extend(campaign, {"submission_deadline": day}, "暴雨", fresh(city.admin))


# --- Closing --------------------------------------------------------------------------------------


def test_closing_with_open_reviews_says_how_many(admin, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    url = page(admin, "close", campaign.year)
    assert "<strong>1</strong> 份已提交的申报没有评定" in admin.get(url).content.decode()
    stale = admin.post(url, {"password": PASSWORD, "seen": "0"}).content.decode()
    assert "现在是 1 份" in stale
    admin.post(url, {"password": PASSWORD, "seen": "1"})
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.CLOSED
    assert "不能结束" in admin.post(url, {}, follow=True).content.decode()


def test_a_campaign_in_preparation_cannot_be_closed(prepared):
    with pytest.raises(NotAllowed, match="筹备中，不能结束"):
        campaigns.close_campaign(prepared, by=None)
    assert deadlines.is_running(prepared, deadlines.now()) is False
