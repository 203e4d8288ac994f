"""The back office: a campaign is set up, opened and closed by an administrator alone."""

import pytest
from django.urls import reverse

from assessments import rubrics
from assessments.choices import State
from assessments.models import Campaign, Indicator, Rubric, Veto
from organizations import audit
from organizations.models import AuditEvent
from tests import factories
from tests.factories import PASSWORD, give_password, make_self_assessment, today

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, city):
    client.force_login(give_password(city.admin))
    return client


def campaign_fields(**fields):
    year = today().year
    form = {
        "name": "新一年度争创“六好”工会活动",
        "year": year,
        "cycle_start_year": year,
        "plan_deadline": f"{year}-04-30",
        "opens_on": f"{year}-01-01",
        "submission_deadline": f"{year}-10-31",
        "review_deadline": f"{year}-12-15",
        "correction_days": 7,
        "criterion_pass_percent": "80",
        "pass_total": "80",
        "target_percent": "90",
        "discrepancy_percent": "20",
        "several_reviewers": "MEAN",
        "remark_tolerance": 0,
        "publicity_working_days": 5,
        "basically_satisfied_counts": "on",
    }
    form |= {"policies-TOTAL_FORMS": 0, "policies-INITIAL_FORMS": 0}
    for number, rubric in enumerate(Rubric.objects.order_by("tier")):
        form |= {
            f"policies-{number}-tier": rubric.tier,
            f"policies-{number}-rubric": rubric.pk,
            f"policies-{number}-reviewers": 1,
            "policies-TOTAL_FORMS": number + 1,
        }
    return form | fields


def change_url(campaign):
    return reverse("admin:assessments_campaign_change", args=[campaign.pk])


def turn(client, act, campaign):
    """On the portal's own page: the back office does not open and close."""
    url = f"/campaigns/{campaign.year}/{act}/"
    sent = {"password": PASSWORD, "seen": "0"}
    return client.post(url, sent, follow=True).content.decode()


def test_an_administrator_sets_a_campaign_up_and_opens_it(admin, city):
    rubrics.load()
    response = admin.post(reverse("admin:assessments_campaign_add"), campaign_fields())
    assert response.status_code == 302, response.context["errors"]
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.policies.count()) == ("PREPARING", 3)
    assert "已开放" in turn(admin, "open", campaign)
    campaign.refresh_from_db()
    assert campaign.state == "OPEN"
    assert AuditEvent.objects.filter(
        chain__key=audit.chain_key(campaign), action="CAMPAIGN_OPEN"
    ).exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"submission_deadline": "2020-01-01"}, "不能早于自评开始日期。"),
        ({"review_deadline": "2020-01-01"}, "不能早于自评提交截止日期。"),
        ({"criterion_pass_percent": "101"}, "小于或等于100"),
        ({"cycle_start_year": "2001"}, "年度须在创建周期的三年之内。"),
        ({"correction_days": "0"}, "大于或等于1"),
    ],
)
def test_nonsense_is_named_in_chinese(admin, city, fields, message):
    rubrics.load()
    response = admin.post(reverse("admin:assessments_campaign_add"), campaign_fields(**fields))
    assert message in response.content.decode()
    assert not Campaign.objects.exists()


def test_a_campaign_without_rubrics_does_not_open(admin, city):
    campaign = factories.make_campaign(opened=False)
    campaign.policies.all().delete()
    assert "还没有设置任何层级的标准" in turn(admin, "open", campaign)
    campaign.refresh_from_db()
    assert campaign.state == "PREPARING"


def test_a_rubric_that_is_not_a_hundred_points_does_not_open(admin, city):
    campaign = factories.make_campaign(opened=False)
    Indicator.objects.filter(code="G1.01").update(max_points=4)
    assert "满分合计应为 100 分，现为 101 分" in turn(admin, "open", campaign)


def test_closing_stops_filling_in(admin, city, campaign):
    assert "已结束" in turn(admin, "close", campaign)
    admin.force_login(city.reporter)
    assert "本年度没有申报" in admin.get("/").content.decode()


def test_once_open_the_year_and_the_rubrics_are_fixed(admin, city, campaign):
    html = admin.get(change_url(campaign)).content.decode()
    assert 'name="year"' not in html
    assert 'name="policies-0-rubric"' not in html
    assert 'name="submission_deadline"' not in html
    assert 'name="correction_days"' in html


def test_an_indicator_is_only_looked_at(admin, city):
    indicator = Indicator.objects.get(code="G1.01")
    url = reverse("admin:assessments_indicator_change", args=[indicator.pk])
    assert 'name="_save"' not in admin.get(url).content.decode()
    assert admin.post(url, {"name": "改", "max_points": "9"}).status_code == 403


def test_an_opened_campaign_cannot_be_deleted(admin, city, campaign):
    url = reverse("admin:assessments_campaign_delete", args=[campaign.pk])
    assert admin.post(url, {"post": "yes"}).status_code == 403
    html = admin.get(reverse("admin:assessments_campaign_changelist")).content.decode()
    assert "delete_selected" not in html


def test_an_extension_and_a_veto_are_recorded(admin, city, campaign):
    extension = {
        "campaign": campaign.pk,
        "organization": city.own.pk,
        "until": campaign.review_deadline,
        "reason": "停电",
    }
    assert admin.post(reverse("admin:assessments_extension_add"), extension).status_code == 302
    assert campaign.extensions.get().organization == city.own
    veto = {"campaign": campaign.pk, "organization": city.foreign.pk, "reason": "重大安全事故"}
    assert admin.post(reverse("admin:assessments_veto_add"), veto).status_code == 302
    assert Veto.objects.get().recorded_by == city.admin
    names = [event.details.get("name", "") for event in AuditEvent.objects.filter(action="ADD")]
    assert any("延期至" in name for name in names)
    assert any("重大安全事故" in name for name in names)


def test_a_veto_does_not_slip_past_a_decision_that_stands(admin, city, campaign):
    make_self_assessment(city, campaign, State.DECIDED)
    veto = {"campaign": campaign.pk, "organization": city.own.pk, "reason": "事故"}
    response = admin.post(reverse("admin:assessments_veto_add"), veto)
    assert "请先撤销评定" in response.content.decode()
    assert not Veto.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_several_are_deleted_and_recorded_in_one(admin, city):
    campaign = factories.make_campaign()
    granted = campaign.extensions.create(
        organization=city.own, until=campaign.review_deadline, reason="停电"
    )
    fields = {"action": "delete_selected", "_selected_action": [granted.pk], "post": "yes"}
    url = reverse("admin:assessments_extension_changelist")
    assert admin.post(url, fields).status_code == 302
    assert not campaign.extensions.exists()
    assert AuditEvent.objects.filter(action="DELETE").exists()


def test_recusals_are_only_looked_at(admin, city):
    """A row entered or deleted here would leave the submissions with the reviewer, and let
    administrators free themselves."""
    recusal = city.reviewer.recusals.create(organization=city.own, reason="亲属")
    assert admin.get(reverse("admin:assessments_recusal_changelist")).status_code == 200
    for page in ("change", "delete"):
        url = reverse(f"admin:assessments_recusal_{page}", args=[recusal.pk])
        assert admin.post(url, {"post": "yes", "reason": "误会"}).status_code == 403
    assert admin.post(reverse("admin:assessments_recusal_add"), {}).status_code == 403
    recusal.refresh_from_db()
    assert recusal.reason == "亲属"


def test_odd_addresses_of_the_back_office(admin, city):
    changelist = reverse("admin:organizations_organization_changelist")
    assert admin.get(f"{changelist}?tier__exact=%00").status_code == 400
    assert admin.get(f"{changelist}?tier__exact=NOPE").status_code == 200
    add = reverse("admin:organizations_organization_add")
    assert admin.get(f"{add}?parent=x&tier=99999999999999999999999").status_code == 200


@pytest.mark.parametrize("user", ["head", "county_admin", "lead", "reviewer", "leader", "nobody"])
def test_for_others_there_is_no_back_office(client, city, campaign, user):
    client.force_login(getattr(city, user))
    for url in ("/admin/", change_url(campaign), "/admin/organizations/user/", "/admin/login/"):
        response = client.get(url, follow=True)
        assert response.status_code == 404, url


def test_without_signing_in_the_back_office_leads_to_the_portals_sign_in(client, city):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_the_audit_record_is_read_only(admin, city, campaign):
    event = AuditEvent.objects.first()
    url = reverse("admin:organizations_auditevent_change", args=[event.pk])
    assert admin.get(url).status_code == 200
    assert admin.post(url, {"action": "X"}).status_code == 403
    assert admin.get(reverse("admin:organizations_auditevent_add")).status_code == 403
