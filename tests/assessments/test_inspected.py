"""现场核查: what is inspected, who is shown what was found, and what happens meanwhile."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from assessments import inspecting, lots
from assessments.choices import Action, State
from assessments.drawing import Quota
from assessments.inspecting import Entry
from assessments.models import Evidence, Indicator, Inspection, Recusal
from assessments.scoring import Rating
from organizations.choices import Role, Tier
from organizations.models import Notification, Organization, User
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user, perform, today
from tests.uploads import PNG

pytestmark = pytest.mark.django_db
ONE = Rating(score=Decimal(1))


def fresh(user):
    return User.objects.get(pk=user.pk)


def indicator(code="G1.01"):
    return Indicator.objects.select_related("criterion").get(code=code)


@pytest.fixture
def handed_in(city, campaign):
    return make_self_assessment(city, campaign, State.UNDER_REVIEW)


def arrange(assessment, city, **fields):
    found = inspecting.add(assessment, "群众反映", fresh(city.lead))
    plan = {"inspectors": [fresh(city.other_reviewer)], "planned_on": today(), "announced": True}
    return inspecting.schedule(found, by=fresh(city.lead), **(plan | fields))


@pytest.fixture
def visit(city, handed_in):
    return arrange(handed_in, city)


def close(visit, by, text="现场没有牌子。"):
    by = fresh(by)
    inspecting.save(visit, [Entry(indicator(), "REFUTED", text, ONE, "")], by)
    return inspecting.complete(
        visit, visited_on=today(), minutes="内部记录。", statement="已知悉。", by=by
    )


def page(visit, number=1):
    return reverse("assessments:inspection_criterion", args=[visit.pk, number])


def html(client, user, address, status=200):
    client.force_login(user)
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


# --- What is inspected --------------------------------------------------------------------------------


def rewrite(assessment, text):
    """The union writes on, and has not handed in."""
    answer = assessment.answers.get(indicator__code="G1.01")
    answer.account = text
    answer.save()


def test_while_it_is_mended_what_was_handed_in_is_shown(client, city, visit, handed_in):
    handed_in.answers.filter(indicator__code="G1.01").update(account="交上来的说明")
    revision = handed_in.revisions.get()
    revision.content["G1.01"]["account"] = "交上来的说明"
    revision.save()
    factories.send_back(handed_in, city.lead)
    rewrite(handed_in, "还没有交的草稿")
    shown = html(client, city.other_reviewer, page(visit))
    assert "交上来的说明" in shown
    assert "还没有交的草稿" not in shown
    assert "核查也针对这一次" in shown
    client.post(page(visit), {"G1.01-text": "照样核查。"})
    assert visit.findings.get().text == "照样核查。"


def test_what_the_union_has_taken_back_is_not_shown(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    visit = arrange(assessment, city)
    account = assessment.revisions.get().content["G1.01"]["account"]
    file = Evidence.objects.filter(organization=city.own).first()
    view = reverse("assessments:evidence_view", args=[file.pk])
    assert account in html(client, city.other_reviewer, page(visit))
    assert html(client, city.other_reviewer, view)
    perform(assessment, Action.WITHDRAW, city.head)
    shown = html(client, city.other_reviewer, page(visit))
    assert "自评内容已由该工会撤回。" in shown
    assert account not in shown
    assert file.name not in shown
    html(client, city.other_reviewer, view, 404)


def test_evidence_opens_for_those_who_go_there_and_for_nobody_else(client, city, visit):
    file = Evidence.objects.filter(revisions__isnull=False).first()
    code = file.revisions.first().indicator.criterion.number
    view = reverse("assessments:evidence_view", args=[file.pk])
    assert view in html(client, city.other_reviewer, page(visit, code))
    html(client, city.other_reviewer, view)
    stranger = make_user((city.city, Role.REVIEWER))
    html(client, stranger, view, 404)
    Recusal.objects.create(reviewer=city.other_reviewer, organization=city.own, reason="亲属")
    html(client, city.other_reviewer, view, 404)


def test_after_the_visit_is_cancelled_its_evidence_is_closed_again(client, city, visit):
    file = Evidence.objects.filter(revisions__isnull=False).first()
    view = reverse("assessments:evidence_view", args=[file.pk])
    html(client, city.other_reviewer, view)
    inspecting.cancel(visit, "工会已撤销", fresh(city.lead))
    html(client, city.other_reviewer, view, 404)


def test_a_photo_can_be_taken_at_once_or_chosen(client, city, visit):
    shown = html(client, city.other_reviewer, page(visit))
    assert 'capture="environment"' in shown
    assert 'id="G1.01-photos"' in shown
    client.post(
        page(visit),
        {
            "G1.01-photos": [
                SimpleUploadedFile("拍.png", PNG),
                SimpleUploadedFile("选.png", PNG + b"2"),
            ]
        },
    )
    assert visit.photos.count() == 2


# --- Who is shown what was found ----------------------------------------------------------------------


def test_reviewers_see_it_beside_the_score_once_it_is_closed(client, city, visit, handed_in):
    review = handed_in.reviews.get()
    desk = reverse("assessments:review_criterion", args=[review.pk, 1])
    aside = reverse("assessments:review_aside", args=[review.pk, 1])
    inspecting.save(
        visit, [Entry(indicator(), "REFUTED", "未办结的话。", None, "")], fresh(city.other_reviewer)
    )
    assert "未办结的话。" not in html(client, city.reviewer, aside)
    assert "经过现场核查" not in html(client, city.reviewer, desk)
    html(client, city.reviewer, visit.get_absolute_url(), 404)
    finding = visit.findings.get()
    stamp = inspecting.stamp(finding)
    entry = Entry(indicator(), "REFUTED", "现场没有牌子。", ONE, stamp)
    inspecting.save(visit, [entry], fresh(city.other_reviewer))
    inspecting.complete(
        visit, visited_on=today(), minutes="", statement="", by=fresh(city.other_reviewer)
    )
    assert visit.get_absolute_url() in html(client, city.reviewer, desk)
    assert 'id="G1.01-inspected"' in html(client, city.reviewer, desk)
    note = html(client, city.reviewer, aside)
    assert "现场核查意见" in note
    assert "现场没有牌子。" in note
    assert "建议 1 分" in note
    other = reverse("assessments:review_aside", args=[review.pk, 2])
    assert "现场没有牌子。" not in html(client, city.reviewer, other)
    assert "现场没有牌子。" in html(client, city.reviewer, visit.get_absolute_url())
    html(client, city.reviewer, page(visit), 404)  # to be read, not to be written


def test_the_union_and_its_superiors_see_it_with_the_published_result(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    visit = arrange(assessment, city)
    inspecting.add_photo(
        visit, indicator(), SimpleUploadedFile("牌子.png", PNG), fresh(city.other_reviewer)
    )
    photo = reverse("assessments:inspection_photo", args=[visit.photos.get().pk])
    close(visit, city.other_reviewer)
    inspecting.apply_scores(visit, fresh(city.lead))
    readers = (city.head, city.own_viewer, city.township_head, city.county_head)
    for action, by in ((None, None), (Action.DECIDE, city.lead)):
        if action:
            perform(assessment, action, by)
        for user in readers:
            html(client, user, visit.get_absolute_url(), 404)
            html(client, user, photo, 404)
            overview = html(client, user, assessment.get_absolute_url())
            assert visit.get_absolute_url() not in overview
    perform(assessment, Action.PUBLISH, city.admin)
    for user in readers:
        overview = html(client, user, assessment.get_absolute_url())
        assert visit.get_absolute_url() in overview
        shown = html(client, user, visit.get_absolute_url())
        assert "现场没有牌子。" in shown
        assert "已采用" in shown
        assert "已知悉。" in shown
        for inner in ("内部记录。", str(city.other_reviewer), str(city.lead), "群众反映"):
            assert inner not in shown
        client.force_login(user)
        assert client.get(photo).status_code == 200
        html(client, user, page(visit), 404)
        html(client, user, reverse("assessments:inspection_minutes", args=[visit.pk]), 404)
    for user in (city.sibling_head, city.foreign_head, city.nobody):
        html(client, user, visit.get_absolute_url(), 404)
        html(client, user, photo, 404)


def test_who_only_goes_there_is_not_led_to_a_page_that_they_may_not_see(client, city, visit):
    overview = visit.self_assessment.get_absolute_url()
    assert overview not in html(client, city.other_reviewer, visit.get_absolute_url())
    assert overview in html(client, city.lead, visit.get_absolute_url())
    assert reverse("assessments:inspection_list") in html(client, city.other_reviewer, "/")


def test_a_cancelled_one_stays_with_the_city(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.REVIEWED)
    visit = arrange(assessment, city)
    inspecting.cancel(visit, "改期", fresh(city.lead))
    perform(assessment, Action.DECIDE, city.lead)
    perform(assessment, Action.PUBLISH, city.admin)
    html(client, city.head, visit.get_absolute_url(), 404)
    assert "改期" in html(client, city.lead, visit.get_absolute_url())


# --- Arranging ----------------------------------------------------------------------------------------


def post(client, city, visit, **fields):
    client.force_login(city.lead)
    plan = {"inspectors": [city.other_reviewer.pk], "planned_on": today().isoformat()}
    return client.post(visit.get_absolute_url(), {"act": "schedule"} | plan | fields)


def test_a_plan_changed_by_another_lead_is_not_overwritten(client, city, visit):
    seen = inspecting.plan_stamp(visit)
    later = today() + dt.timedelta(days=3)
    inspecting.schedule(
        visit,
        inspectors=[fresh(city.reviewer)],
        planned_on=later,
        announced=True,
        by=fresh(city.admin),
    )
    response = post(client, city, visit, seen=seen)
    shown = response.content.decode()
    assert response.status_code == 409
    assert "刚刚有人改过安排" in shown
    assert str(city.reviewer) in shown
    assert Inspection.objects.get().planned_on == later
    again = response.context["forms"]["schedule"]["seen"].value()
    assert post(client, city, visit, seen=again).status_code == 302
    assert Inspection.objects.get().planned_on == today()


@pytest.mark.parametrize(
    ("days", "message"), [(-1, "计划日期不能早于今天。"), (800, "日期太远，请核对。")]
)
def test_a_day_that_makes_no_sense(client, city, visit, days, message):
    day = (today() + dt.timedelta(days=days)).isoformat()
    assert message in post(client, city, visit, planned_on=day).content.decode()
    assert Inspection.objects.get().planned_on == today()


def test_a_day_that_has_passed_may_stay(client, city, visit):
    Inspection.objects.update(planned_on=today() - dt.timedelta(days=2))
    day = (today() - dt.timedelta(days=2)).isoformat()
    assert post(client, city, visit, planned_on=day).status_code == 302


def test_who_must_stand_back_cannot_be_sent(client, city, visit):
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    shown = html(client, city.lead, visit.get_absolute_url())
    assert f'value="{city.reviewer.pk}"' not in shown
    refused = post(client, city, visit, inspectors=[city.reviewer.pk]).content.decode()
    assert "须回避，或已不是评审员" in refused


def test_a_dissolved_union_is_not_visited_but_cancelled(client, city, visit):
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on=today())
    assert "已经撤销，不能再安排" in post(client, city, visit).content.decode()
    inspecting.cancel(visit, "工会已撤销", fresh(city.lead))


@pytest.mark.parametrize("announced", [True, False])
def test_of_a_cancellation_whoever_knew_is_told(city, handed_in, announced):
    visit = arrange(handed_in, city, announced=announced)
    inspecting.cancel(visit, "改由县里核查", fresh(city.lead))
    told = Notification.objects.filter(text__contains="现场核查已取消")
    union = {city.head, city.reporter} if announced else set()
    assert {one.recipient for one in told} == {city.other_reviewer} | union


# --- Drawing and listing ------------------------------------------------------------------------------


def submit(city, campaign, organization):
    return make_self_assessment(city, campaign, State.SUBMITTED, organization=organization)


def test_direct_unions_are_one_group_and_so_are_the_counties(client, city, campaign):
    direct = [city.direct, *(make_organization(Tier.GRASSROOTS, city.city) for _ in range(3))]
    for one in [*direct, city.own, city.county, city.other_county]:
        submit(city, campaign, one)
    quotas = {"GRASSROOTS": Quota(1), "COUNTY": Quota(1)}
    draft = lots.prepare(campaign, quotas, 5, fresh(city.lead))
    assert {one.name: len(one.keys) for one in draft.strata} == {
        "COUNTY:": 2,
        "GRASSROOTS:": 4,
        f"GRASSROOTS:{city.county.path}": 1,
    }
    assert len(draft.picked) == 3
    address = reverse("assessments:inspection_drawing")
    shown = html(client, city.lead, f"{address}?GRASSROOTS=1&COUNTY=1&seed=5")
    assert "市直单位" in shown
    assert "全市" in shown
    made = lots.draw(campaign, quotas, 5, fresh(city.lead), seen=draft.digest)
    assert lots.replay(made)


def test_a_dissolved_union_is_not_drawn(city, campaign):
    submit(city, campaign, city.own)
    Organization.objects.filter(pk=city.own.pk).update(dissolved_on=today())
    assert lots.population(campaign, fresh(city.lead)) == {}


def test_the_list_by_inspector_and_of_direct_unions(client, city, campaign, visit):
    direct = inspecting.add(submit(city, campaign, city.direct), "交办", fresh(city.lead))
    address = reverse("assessments:inspection_list")

    def listed(user, query):
        client.force_login(user)
        return {one.pk for one in client.get(f"{address}?{query}").context["inspections"]}

    assert listed(city.lead, "") == {visit.pk, direct.pk}
    assert listed(city.lead, f"inspector={city.other_reviewer.pk}") == {visit.pk}
    assert listed(city.lead, "county=direct") == {direct.pk}
    assert listed(city.lead, "inspector=nonsense&county=0") == {visit.pk, direct.pk}
    close(visit, city.other_reviewer)
    assert listed(city.reviewer, "") == set()  # may read what was found, and goes nowhere
    assert listed(city.other_reviewer, "") == {visit.pk}


def test_the_latest_of_several_closed_ones_counts(client, city, visit, handed_in):
    close(visit, city.other_reviewer, "第一次的话。")
    Inspection.objects.update(closed_at=timezone.now() - dt.timedelta(days=1))
    second = arrange(handed_in, city)
    close(second, city.other_reviewer, "第二次的话。")
    review = handed_in.reviews.get()
    note = html(client, city.reviewer, reverse("assessments:review_aside", args=[review.pk, 1]))
    assert "第二次的话。" in note
    assert "第一次的话。" not in note
