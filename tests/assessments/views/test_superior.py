"""The superior's desk: who sees what, counts, sorting, urging, endorsing, ranks."""

import datetime as dt

import pytest
from django.urls import reverse

from assessments import assigning, endorsing
from assessments.choices import Action, State
from assessments.models import Campaign, Extension, Recusal, TierPolicy, Urge
from organizations import tree
from organizations.choices import NotificationKind, Role, Tier
from organizations.models import AuditEvent, Membership, Notification, Organization
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user, perform, today

pytestmark = pytest.mark.django_db
URL = "/oversight/"
URGE = "/oversight/urge/"
TEXT = {"text": "请抓紧填报。"}


@pytest.fixture
def campaign(city):
    return factories.make_campaign(endorsement=True)


def submitted(city, campaign, organization=None, state=State.SUBMITTED):
    return make_self_assessment(city, campaign, state, organization=organization)


def page(client, user, url=URL):
    client.force_login(user)
    response = client.get(url)
    assert response.status_code == 200
    return response


def names(response):
    return [one.name for one in response.context["organizations"]]


def past(campaign, **fields):
    """The campaign's days as they are some time later."""
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    campaign.refresh_from_db()


# --- The list -------------------------------------------------------------------------------------


def test_counts_of_the_strip_and_the_tabs(client, city, campaign):
    submitted(city, campaign)
    submitted(city, campaign, city.foreign)
    make_self_assessment(city, campaign, organization=city.sibling, filled=False)
    response = page(client, city.county_head)
    html = response.content.decode()
    counts = response.context["counts"]
    assert (counts.below, counts.handed_in, counts.waiting, counts.overdue) == (3, 1, 1, 0)
    tabs = [(label, number) for label, number, _, _ in response.context["tabs"]]
    assert tabs == [("全部", 4), ("未开始", 2), ("填报中", 1), ("待初审", 1)]
    assert "您下级 <strong>3</strong> 个工会" in html
    assert names(page(client, city.county_head, f"{URL}?state=TO_ENDORSE")) == [city.own.name]
    past(campaign, submission_deadline=today() - dt.timedelta(days=1))
    counts = page(client, city.county_head).context["counts"]
    assert counts.overdue == 2
    listed = names(page(client, city.county_head, f"{URL}?lag=overdue"))
    assert listed == [city.county.name, city.township.name, city.sibling.name]


def test_days_left_know_an_extension_and_a_correction(client, city, campaign):
    past(campaign, submission_deadline=today())
    Extension.objects.create(
        campaign=campaign, organization=city.own, until=today() + dt.timedelta(days=3), reason="x"
    )
    make_self_assessment(city, campaign, State.RETURNED, organization=city.sibling)
    response = page(client, city.township_head)
    days = {one.name: one.days_left for one in response.context["organizations"]}
    assert days == {city.township.name: 0, city.own.name: 3, city.sibling.name: 7}


def test_progress_of_a_draft_is_told_and_its_content_is_not(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    assessment.answers.filter(indicator__criterion__number__gt=3).delete()
    response = page(client, city.township_head)
    [percent] = [one.percent for one in response.context["organizations"] if one.entry_pk]
    assert 0 < percent < 100
    assert f"已填 {percent}%" in response.content.decode()
    url = reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1])
    assert client.get(url).status_code == 404


def test_what_waits_for_the_user_comes_first(client, city, campaign):
    submitted(city, campaign, city.sibling)
    assert names(page(client, city.township_head))[0] == city.sibling.name
    assert names(page(client, city.county_head))[0] == city.county.name


def test_sorting_and_nonsense(client, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED, share="0.5")
    submitted(city, campaign, city.sibling)
    best = names(page(client, city.township_head, f"{URL}?sort=-score"))
    assert best == [city.sibling.name, city.own.name, city.township.name]
    worst = names(page(client, city.township_head, f"{URL}?sort=score"))
    assert worst == [city.own.name, city.sibling.name, city.township.name]
    assert names(page(client, city.township_head, f"{URL}?sort=due"))[0] == city.township.name
    html = page(client, city.township_head, f"{URL}?sort=-name").content.decode()
    assert 'aria-sort="descending"' in html
    for query in ("sort=password", "sort=-", "sort=path;--", "size=9999", "size=x", "state=%27"):
        assert len(names(page(client, city.township_head, f"{URL}?{query}"))) == 3


def test_filters_by_township_and_page_size(client, city, campaign):
    tree.plant_all(
        Organization(code=f"P{n:03}", name=f"第{n}", tier="GRASSROOTS", parent=city.township)
        for n in range(30)
    )
    assert len(names(page(client, city.lead, f"{URL}?township={city.township.code}&size=20"))) == 20
    foreign = page(client, city.county_head, f"{URL}?township={city.other_township.code}")
    assert city.foreign.name not in names(foreign)


def test_the_recused_see_nothing(client, city, campaign):
    Recusal.objects.create(reviewer=city.lead, organization=city.county, reason="亲属")
    assert names(page(client, city.lead)) == [
        city.other_county.name,
        city.other_township.name,
        city.foreign.name,
        city.direct.name,
    ]


def test_back_to_the_list_and_on_in_the_queue(client, city, campaign):
    first, second = submitted(city, campaign), submitted(city, campaign, city.sibling)
    html = page(client, city.township_head, f"{URL}?state=TO_ENDORSE&sort=name").content.decode()
    back = f"/assessments/{first.pk}/?back=state%3DTO_ENDORSE%26sort%3Dname"
    assert back in html
    html = client.get(back).content.decode()
    assert 'href="/oversight/?state=TO_ENDORSE&amp;sort=name"' in html
    assert f"/assessments/{second.pk}/?back=state%3DTO_ENDORSE" in html
    assert "上一份待初审" not in html
    odd = client.get(f"/assessments/{first.pk}/?back=//evil.example%26next=x%26year=1").content
    assert b"evil.example" not in odd.replace(b"back=%2F%2Fevil.example", b"")


# --- Urging ---------------------------------------------------------------------------------------


def urge(client, user, query="", data=TEXT):
    client.force_login(user)
    return client.post(f"{URGE}{query}", data, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_urging_once_a_day_and_saying_who_was_left_out(client, city, campaign):
    response = page(client, city.township_head, URGE)
    plan = response.context["plan"]
    assert (plan.to_tell, plan.told_today, plan.without_account) == (2, 0, 0)
    assert said(urge(client, city.township_head)) == ["已催报 2 个工会。"]
    assert set(Urge.objects.values_list("organization", flat=True)) == {
        city.own.pk,
        city.sibling.pk,
    }
    event = AuditEvent.objects.get(action="URGED")
    assert (event.details["unions"], event.details["text"]) == (2, "请抓紧填报。")
    assert said(urge(client, city.county_head)) == [
        "已催报 1 个工会。",  # the township itself
        "跳过 2 个：今天已经催报过，每个工会每天只催报一次。",
    ]
    Urge.objects.update(day=today() - dt.timedelta(days=1))
    assert said(urge(client, city.township_head)) == ["已催报 2 个工会。"]
    assert f"上次催报 {today():%m-%d}" in page(client, city.township_head).content.decode()


def test_the_urged_are_told_on_their_workbench_until_they_hand_in(client, city, campaign):
    urge(client, city.township_head)
    told = Notification.objects.filter(kind=NotificationKind.REMINDER)
    assert {one.recipient for one in told} == {city.reporter, city.head, city.sibling_head}
    assert {one.text for one in told} == {"催报：请抓紧填报。"}
    assert "请抓紧填报。" in page(client, city.reporter, "/").content.decode()
    submitted(city, campaign)
    assert "请抓紧填报。" not in page(client, city.reporter, "/").content.decode()


def test_a_union_without_an_account_is_named(client, city, campaign):
    mute = make_organization(Tier.GRASSROOTS, city.township, "无人工会委员会")
    gone = make_organization(Tier.GRASSROOTS, city.township, "停用工会委员会")
    make_user((gone, Role.HEAD), is_active=False)
    html = page(client, city.township_head, URGE).content.decode()
    assert "2 个工会无账号，未能通知" in html
    assert mute.name in html
    assert said(urge(client, city.township_head))[-1] == "2 个工会无账号，未能通知。"
    assert not Urge.objects.filter(organization__in=[mute, gone]).exists()


def test_only_those_behind_that_the_filter_leaves(client, city, campaign):
    submitted(city, campaign)
    urge(client, city.admin, f"?county={city.county.code}&tier=GRASSROOTS")
    assert Urge.objects.get().organization == city.sibling
    urge(client, city.county_head, f"?one={city.township.pk}")
    assert Urge.objects.filter(organization=city.township).exists()
    urge(client, city.township_head, f"?one={city.foreign.pk}")
    urge(client, city.township_head, "?one=x")
    assert Urge.objects.count() == 2


def test_neither_one_self_nor_what_one_is_recused_from_is_urged(client, city, campaign):
    Recusal.objects.create(reviewer=city.lead, organization=city.county, reason="亲属")
    urge(client, city.lead)
    assert set(Urge.objects.values_list("organization", flat=True)) == {city.foreign.pk}
    Urge.objects.all().delete()
    urge(client, city.county_head)
    assert not Urge.objects.filter(organization=city.county).exists()


def test_a_text_is_asked_for_and_nobody_is_urged_in_a_closed_campaign(client, city, campaign):
    client.force_login(city.township_head)
    assert "请填写催报内容。" in client.post(URGE, {"text": " "}).content.decode()
    Campaign.objects.update(state="CLOSED")
    response = client.post(URGE, TEXT)
    assert response.status_code == 409
    assert not Urge.objects.exists()


@pytest.mark.parametrize("name", ["head", "reporter", "leader", "county_admin", "nobody"])
def test_who_may_not_urge(client, city, campaign, name):
    client.force_login(getattr(city, name))
    assert client.get(URGE).status_code == 404
    assert client.post(URGE, TEXT).status_code == 404


def test_urging_a_thousand_costs_what_urging_ten_costs(
    client, city, campaign, django_assert_max_num_queries
):
    tree.plant_all(
        Organization(code=f"U{n:05}", name=f"第{n}", tier="GRASSROOTS", parent=city.township)
        for n in range(1000)
    )
    unions = Organization.objects.filter(code__startswith="U")
    user = make_user()
    Membership.objects.bulk_create(
        Membership(user=user, organization=union, role=Role.REPORTER) for union in unions
    )
    client.force_login(city.township_head)
    with django_assert_max_num_queries(45):
        client.post(URGE, TEXT)
    assert Urge.objects.count() == 1002


# --- Endorsing ------------------------------------------------------------------------------------


def endorse_url(assessment):
    return reverse("assessments:self_assessment_endorse", args=[assessment.pk])


def test_endorsing_with_a_rank_that_is_taken_keeps_what_was_typed(client, city, campaign):
    first, second = submitted(city, campaign), submitted(city, campaign, city.sibling)
    client.force_login(city.township_head)
    assert client.post(endorse_url(first), {"opinion": "好", "rank": "1"}).status_code == 302
    response = client.post(endorse_url(second), {"opinion": "也好", "rank": "1"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "第 1 名已经给了" in html
    assert ">也好</textarea>" in html or "也好" in html
    for wrong in ("0", "-1", "x", "99999"):
        response = client.post(endorse_url(second), {"opinion": "也好", "rank": wrong})
        assert response.context["form"].errors["rank"]
    assert "请填写推荐意见。" in client.post(endorse_url(second), {}).content.decode()


def test_a_stale_page_does_not_endorse(client, city, campaign):
    assessment = submitted(city, campaign)
    seen = page(client, city.township_head, endorse_url(assessment)).context["seen"]
    perform(assessment, Action.WITHDRAW, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    response = client.post(endorse_url(assessment), {"opinion": "好", "seen": seen})
    assert response.status_code == 409
    perform(assessment, Action.ENDORSE, city.township_head, opinion="好")
    html = client.get(endorse_url(assessment)).content.decode()
    assert "不能初审" in html


def test_taking_back_by_the_page(client, city, campaign):
    assessment = submitted(city, campaign, state=State.ENDORSED)
    client.force_login(city.township_head)
    assert "撤回初审" in client.get(assessment.get_absolute_url()).content.decode()
    client.post(
        reverse("assessments:self_assessment_act", args=[assessment.pk, "withdraw-endorsement"])
    )
    assessment.refresh_from_db()
    assert assessment.state == State.SUBMITTED


def test_scoring_pages(client, city, campaign):
    TierPolicy.objects.update(endorsement_scores=True)
    assessment = submitted(city, campaign)
    client.force_login(city.township_head)
    url = reverse("assessments:self_assessment_endorse_scores", args=[assessment.pk, 1])
    sheet = client.get(url).context["sheet"]
    data = {"revision": "1", "save": ""}
    for row in sheet.rows:
        data[f"{row.indicator.code}-seen"] = row.seen
    code = next(row.indicator.code for row in sheet.rows if not row.indicator.rule.is_computed)
    response = client.post(url, data | {f"{code}-score": "999", f"{code}-reason": "太高"})
    assert response.context["sheet"].faulty_rows
    assert "太高" in response.content.decode()
    assert client.post(url, data | {f"{code}-score": "0.5"}).status_code == 302
    draft = assessment.endorsements.get()
    assert str(draft.scores.get(indicator__code=code).score).startswith("0.5")
    html = client.get(endorse_url(assessment)).content.decode()
    assert "逐项评分还差" in html
    assert client.post(endorse_url(assessment), {"opinion": "好"}).status_code == 409
    perform(assessment, Action.RETURN, city.lead, remarks={sheet.rows[0].indicator: "补"})
    assert client.get(url).status_code == 404  # the union is writing


def test_in_bulk_what_is_safe_and_why_the_rest_is_left_out(client, city, campaign):
    safe = factories.beyond_doubt(submitted(city, campaign))
    doubtful = submitted(city, campaign, city.sibling)
    foreign = submitted(city, campaign, city.foreign)
    url = f"/oversight/endorse/?chosen={safe.pk}&chosen={doubtful.pk}&chosen={foreign.pk}&chosen=x"
    response = page(client, city.township_head, url)
    [(assessment, seen)] = response.context["safe"]
    html = response.content.decode()
    assert assessment == safe
    assert "处提醒，请打开看过再初审" in html
    assert city.foreign.name not in html
    assert "不提供批量退回" in html
    data = {"chosen": [safe.pk, doubtful.pk, foreign.pk], "opinion": "同意。"}
    client.post(url, data)  # without the stamp of the confirming page
    assert endorsing.standing(safe) is None
    data[f"seen-{safe.pk}"] = seen
    assert "请填写推荐意见。" in client.post(url, data | {"opinion": ""}).content.decode()
    assert said(client.post(url, data, follow=True))[0] == "已初审推荐 1 份。"
    for one in (safe, doubtful, foreign):
        one.refresh_from_db()
    assert [one.state for one in (safe, doubtful, foreign)] == [
        "ENDORSED",
        "SUBMITTED",
        "SUBMITTED",
    ]


# --- Ranks ----------------------------------------------------------------------------------------


@pytest.fixture
def two(city, campaign):
    found = [submitted(city, campaign), submitted(city, campaign, city.sibling)]
    for rank, assessment in enumerate(found, 1):
        perform(assessment, Action.ENDORSE, city.township_head, opinion="好", rank=rank)
    return [assessment.endorsements.get() for assessment in found]


def ranks(endorsements):
    for one in endorsements:
        one.refresh_from_db()
    return [one.rank for one in endorsements]


def test_ranks_typed_and_moved(client, city, two):
    url = f"/oversight/{city.township.pk}/ranks/"
    first, second = two
    seen = page(client, city.township_head, url).context["seen"]
    client.post(url, {"seen": seen, f"rank-{first.pk}": "2", f"rank-{second.pk}": "1"})
    assert ranks(two) == [2, 1]
    seen = client.get(url).context["seen"]
    client.post(url, {"seen": seen, "up": str(first.pk)})
    assert ranks(two) == [1, 2]
    again = client.post(url, {"seen": seen, "up": str(second.pk)})
    assert again.status_code == 409
    assert ranks(two) == [1, 2]


def test_ranks_that_meet_are_said_at_their_field(client, city, two):
    url = f"/oversight/{city.township.pk}/ranks/"
    first, second = two
    seen = page(client, city.township_head, url).context["seen"]
    response = client.post(url, {"seen": seen, f"rank-{first.pk}": "3", f"rank-{second.pk}": "3"})
    assert "重复" in response.context["form"].errors[f"rank-{second.pk}"][0]
    assert 'value="3"' in response.content.decode()
    assert ranks(two) == [1, 2]


def test_ranks_are_fixed_once_the_city_has_begun(client, city, two):
    first = two[0].self_assessment
    assigning.assign(first, city.reviewer, city.lead)
    perform(first, Action.BEGIN_REVIEW, city.reviewer)
    url = f"/oversight/{city.township.pk}/ranks/"
    seen = page(client, city.township_head, url).context["seen"]
    client.post(url, {"seen": seen, f"rank-{two[0].pk}": "9", f"rank-{two[1].pk}": "4"})
    assert ranks(two) == [1, 4]


def test_somebody_elses_ranks_are_not_found(client, city, two):
    for user in (city.county_head, city.own_viewer, city.foreign_head, city.admin):
        client.force_login(user)
        assert client.get(f"/oversight/{city.township.pk}/ranks/").status_code == 404


# --- After the day for endorsing ------------------------------------------------------------------


def test_the_overdue_are_shown_to_superior_and_lead(client, city, campaign):
    assessment = submitted(city, campaign)
    past(
        campaign,
        submission_deadline=today() - dt.timedelta(days=2),
        endorsement_deadline=today(),
    )
    assert "逾期，市总" not in page(client, city.township_head).content.decode()
    assert names(page(client, city.lead, f"{URL}?lag=unendorsed")) == []
    past(campaign, endorsement_deadline=today() - dt.timedelta(days=1))
    assert "已逾期，市总工会可直接受理" in page(client, city.township_head).content.decode()
    assert names(page(client, city.lead, f"{URL}?lag=unendorsed")) == [city.own.name]
    assert "1 份申报上级逾期未初审" in page(client, city.lead, "/").content.decode()
    html = page(client, city.head, assessment.get_absolute_url()).content.decode()
    assert "市总工会可直接受理" in html
    assigning.assign(assessment, city.reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, city.lead)
    html = page(client, city.head, assessment.get_absolute_url()).content.decode()
    assert "上级逾期未初审" in html
