"""归档: read only, for ever, in the portal and in the database."""

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from assessments import (
    appeals,
    campaigns,
    extensions,
    packages,
    plans,
    publicity,
    recognition,
    recommending,
    workflow,
)
from assessments.assigning import NotAllowed
from assessments.choices import (
    Action,
    AppealKind,
    CampaignState,
    PackageKind,
    PlanAction,
    PlanState,
    State,
)
from assessments.models import SelfAssessment, Veto
from assessments.supervision import rectifying
from organizations import audit
from organizations.models import User
from tests import factories
from tests.factories import PASSWORD, give_password, make_plan, make_self_assessment
from tests.uploads import PDF

pytestmark = pytest.mark.django_db


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def final(city, campaign):
    """Everything that hangs on a campaign, brought to its end."""
    make_plan(campaign, city.own, city.head, PlanState.FILED)
    later = campaign.submission_deadline + factories.dt.timedelta(days=1)
    extensions.ask(campaign, city.sibling, until=later, reason="忙", by=city.sibling_head)
    round_ = factories.make_round(city.admin, campaign, city.own, members=[city.reviewer])
    finding = factories.make_finding(round_.visits.get(), city.reviewer)
    factories.feed_back(round_.visits.get(), city.reviewer)
    rectifying.accept(finding, "现场已整改。", city.reviewer)
    Veto.objects.create(
        campaign=campaign, organization=city.sibling, reason="事故", recorded_by=city.admin
    )
    made = make_self_assessment(city, campaign, State.FINAL)
    line = factories.make_recommendation(made, city.admin, city.lead)
    upload = SimpleUploadedFile("公示.pdf", PDF)
    packages.add_files(line, {PackageKind.PUBLICITY: upload}, fresh(city.head))
    return made


def put_away(city, campaign):
    campaigns.close_campaign(campaign, by=None)
    campaigns.archive(campaign, fresh(city.admin))
    campaign.refresh_from_db()


def test_put_away_by_the_own_password(client, city, campaign, final):
    campaigns.close_campaign(campaign, by=None)
    client.force_login(give_password(city.admin))
    url = f"/campaigns/{campaign.year}/archive/"
    assert "永远只能查看" in client.get(url).content.decode()
    assert "密码不正确" in client.post(url, {"password": "不对"}).content.decode()
    shown = client.post(url, {"password": PASSWORD}, follow=True).content.decode()
    assert "已归档" in shown
    assert "重新开放" not in shown
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.ARCHIVED
    assert "不能归档" in client.post(url, follow=True).content.decode()
    client.force_login(city.head)
    assert client.get(final.get_absolute_url()).status_code == 200
    assert list(audit.verify()) == []


def test_not_before_everything_is_settled(client, city, campaign):
    published = make_self_assessment(city, campaign, State.PUBLISHED)
    values = {"name": "张三", "contact": "13800000000", "text": "不符。"}
    appeals.file(publicity.result_of(published), AppealKind.OBJECTION, values, None, None)
    with pytest.raises(campaigns.NotInOrder, match="活动还没有结束"):
        campaigns.archive(campaign, fresh(city.admin))
    campaigns.close_campaign(campaign, by=None)
    client.force_login(give_password(city.admin))
    page = client.get(f"/campaigns/{campaign.year}/").content.decode()
    assert "1 份申报还没有办结" in page
    assert "1 件异议或申诉还没有答复" in page
    refused = client.post(f"/campaigns/{campaign.year}/archive/", {"password": PASSWORD})
    assert "1 件异议或申诉还没有答复" in refused.content.decode()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.CLOSED


def test_who_never_answered_what_was_sent_back_holds_nobody_up(city, campaign):
    returned = make_self_assessment(city, campaign, State.RETURNED)
    campaigns.close_campaign(campaign, by=None)
    with pytest.raises(campaigns.NotInOrder, match="1 份申报还没有办结"):
        campaigns.archive(campaign, fresh(city.admin))
    SelfAssessment.objects.filter(pk=returned.pk).update(
        correction_due=factories.today() - factories.dt.timedelta(days=1)
    )
    campaigns.archive(campaign, fresh(city.admin))


def test_nobody_but_the_administrator(city, campaign):
    campaigns.close_campaign(campaign, by=None)
    with pytest.raises(NotAllowed, match="只有市总工会管理员"):
        campaigns.archive(campaign, fresh(city.lead))


def test_nothing_can_be_done_with_it_any_more(city, campaign, final):
    put_away(city, campaign)
    admin = fresh(city.admin)
    final = SelfAssessment.objects.with_context().get(pk=final.pk)
    for action in Action:
        with pytest.raises(workflow.TransitionRefused, match="已经归档"):
            workflow.perform(final, action, by=admin, reason="理由")
    assert workflow.available(final, admin) == []
    plan = campaign.plans.get()
    with pytest.raises(NotAllowed, match="已经归档"):
        plans.perform(plan, PlanAction.ACCEPT, by=admin, seen=plan.stamp)
    with pytest.raises(NotAllowed, match="已经归档"):
        recognition.award(campaign, factories.today(), admin, seen=1)
    with pytest.raises(NotAllowed, match="已经归档"):
        recommending.enter_goals(campaign, {city.own: 100}, {}, admin)
    line = final.recommendation
    with pytest.raises(NotAllowed, match="已经归档"):
        packages.add_files(line, {PackageKind.FORM: SimpleUploadedFile("表.pdf", PDF)}, admin)
    with pytest.raises(campaigns.NotInOrder, match="已经归档"):
        campaigns.open_campaign(campaign, by=admin)
    with pytest.raises(NotAllowed, match="已归档"):
        campaigns.close_campaign(campaign, by=admin)
    with pytest.raises(NotAllowed, match="没有开放"):
        campaigns.extend(campaign, {}, "理由", admin)
    with pytest.raises(extensions.NotPossible):
        extensions.ask(
            campaign, city.sibling, until=factories.today(), reason="忙", by=city.sibling_head
        )


def test_a_package_that_comes_too_late_is_answered_and_stays_on_the_page(
    client, city, campaign, final
):
    put_away(city, campaign)
    client.force_login(city.head)
    url = final.recommendation.get_absolute_url()
    assert "保存推荐材料" not in client.get(url).content.decode()
    response = client.post(url, {"act": "package", "story": "写了很久的事迹。", "seen": "x"})
    assert response.status_code == 409
    assert "已经归档，只能查看" in response.content.decode()
    assert "写了很久的事迹。" in response.content.decode()


def test_the_back_office_neither_adds_to_it_nor_takes_away(client, city, campaign, final):
    veto = Veto.objects.get()
    put_away(city, campaign)
    client.force_login(city.admin)
    fields = {"organization": city.foreign.pk, "campaign": campaign.pk, "reason": "事故"}
    for model, more in (("veto", {}), ("extension", {"until": factories.today().isoformat()})):
        response = client.post(f"/admin/assessments/{model}/add/", fields | more)
        assert response.status_code == 200
        assert "活动已经归档，只能查看。" in response.content.decode()
    one = f"/admin/assessments/veto/{veto.pk}"
    assert client.post(f"{one}/change/", fields).status_code == 403
    assert client.post(f"{one}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": veto.pk, "post": "yes"}
    client.post("/admin/assessments/veto/", chosen)
    assert Veto.objects.get() == veto


ROWS = [
    "Campaign",
    "TierPolicy",
    "SelfAssessment",
    "Answer",
    "Review",
    "ReviewScore",
    "Decision",
    "DecisionScore",
    "PublicityPeriod",
    "PublishedResult",
    "GoalCompletion",
    "RecommendationList",
    "RecommendationQuota",
    "Recommendation",
    "PackageFile",
    "SupervisionRound",
    "SupervisionVisit",
    "SupervisionFinding",
    "ExtensionRequest",
    "ImplementationPlan",
    "PlanVersion",
    "Veto",
]


@pytest.mark.parametrize("name", ROWS)
def test_the_database_refuses_to_change_it(city, campaign, final, name):
    put_away(city, campaign)
    row = apps.get_model("assessments", name).objects.order_by("pk").first()
    with pytest.raises(DatabaseError, match="archived_campaign"), transaction.atomic():
        row.save()
    if name != "Campaign":
        row.pk = None
        row._state.adding = True
        with pytest.raises(DatabaseError), transaction.atomic():
            row.save()


def test_the_year_before_does_not_hold_up_the_next(city, campaign, final):
    put_away(city, campaign)
    following = factories.make_campaign(year=campaign.year + 1)
    make_self_assessment(city, following, State.SUBMITTED)
