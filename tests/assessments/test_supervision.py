"""督查: who plans, visits, puts right and checks; what each state allows, and who is told."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from assessments import campaigns, orphans, workbench
from assessments.assigning import NotAllowed
from assessments.files import EvidenceRefused
from assessments.models import (
    Recusal,
    StoredFile,
    SupervisionFile,
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
)
from assessments.supervision import planning, rectifying, steps, visiting
from organizations import audit
from organizations.choices import Role
from organizations.models import AuditEvent, Notification, Organization, User
from tests.factories import feed_back, make_finding, make_round, make_user, today
from tests.uploads import PNG

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
EXE = SimpleUploadedFile("证明.exe", b"MZ" + b"\0" * 100)


def fresh(user):
    return User.objects.get(pk=user.pk)


def photo(name="现场.png"):
    return SimpleUploadedFile(name, PNG)


@pytest.fixture
def round_(city, campaign):
    return make_round(city.admin, campaign, city.own, city.foreign, members=[city.reviewer])


@pytest.fixture
def visit(city, round_):
    return round_.visits.get(organization=city.own)


@pytest.fixture
def finding(city, visit):
    """Handed over, to be put right within fifteen days."""
    made = make_finding(visit, city.reviewer)
    feed_back(visit, city.reviewer)
    made.refresh_from_db()
    return made


def sees(user, rows=SupervisionVisit):
    return set(rows.objects.visible_to(fresh(user)))


def told(user):
    rows = Notification.objects.filter(recipient=user).order_by("at")
    return list(rows.values_list("text", flat=True))


def test_from_the_plan_to_a_finding_that_is_put_right(city, round_, visit):
    assert told(city.reviewer) == ["“年中督查”已开始，“第一组”有 2 个工会要走访。"]
    found = make_finding(visit, city.reviewer, photo())
    assert told(city.head) == []
    feed_back(visit, city.reviewer)
    (text,) = told(city.head)
    assert text.startswith("“年中督查”反馈了 1 个问题，请于")

    rectifying.answer(found, "名册已更新。", [photo("新名册.png")], city.reporter)
    assert told(city.reviewer)[-1] == f"“{city.own}”报送了整改，请验收。"
    rectifying.send_back(found, "没有盖章。", today() + 5 * DAY, city.reviewer)
    assert "没有盖章。" in told(city.head)[-1]
    rectifying.answer(found, "已盖章。", [], city.head)
    rectifying.accept(found, "", city.reviewer)
    found.refresh_from_db()
    assert found.state == "ACCEPTED"
    assert [one.is_late for one in found.rectifications.all()] == [False, False]
    assert list(audit.verify()) == []
    acts = audit.events_of(visit).values_list("action", flat=True)
    assert list(acts) == [
        "SUPERVISION_ACCEPTED",
        "SUPERVISION_RECTIFIED",
        "SUPERVISION_RETURNED",
        "SUPERVISION_RECTIFIED",
        "SUPERVISION_FED_BACK",
    ]


def test_who_sees_what_before_and_after_the_findings_are_handed_over(city, round_, visit):
    foreign = round_.visits.get(organization=city.foreign)
    make_finding(visit, city.reviewer)
    insiders = {city.admin, city.lead, city.leader, city.reviewer}
    for user in city.users().values():
        assert (visit in sees(user)) == (user in insiders), user
        assert (round_ in sees(user, SupervisionRound)) == (user in insiders), user
    feed_back(visit, city.reviewer)
    own = {city.reporter, city.head, city.own_viewer}
    above = {city.township_head, city.county_head, city.county_admin}
    for user in city.users().values():
        assert (visit in sees(user)) == (user in insiders | own | above), user
        assert (foreign in sees(user)) == (user in insiders), user
        assert bool(sees(user, SupervisionFinding)) == (user in insiders | own | above), user


def test_a_county_runs_rounds_below_it_alone(city, campaign):
    round_ = make_round(city.county_admin, campaign, city.own, members=[city.county_head])
    team = round_.teams.get()
    assert round_.organizer == city.county
    assert city.foreign not in planning.places_for(team)
    done = planning.add_places(
        team, Organization.objects.filter(pk=city.foreign.pk), None, city.county_admin
    )
    assert done == planning.Added(0, 1)
    stranger = make_user((city.other_county, Role.ADMIN))
    with pytest.raises(NotAllowed):
        planning.close(round_, stranger)
    assert round_ in sees(city.admin, SupervisionRound)
    assert round_ not in sees(stranger, SupervisionRound)
    assert planning.people(city.county).filter(pk=city.head.pk).count() == 0


def test_days_in_the_wrong_order_are_no_round(city, campaign, round_):
    with pytest.raises(IntegrityError), transaction.atomic():
        SupervisionRound.objects.filter(pk=round_.pk).update(ends_on=today() - DAY)


def test_a_union_is_visited_once_a_round(city, round_):
    team = round_.teams.get()
    again = Organization.objects.filter(pk__in=[city.own.pk, city.direct.pk])
    assert planning.add_places(team, again, None, city.admin) == planning.Added(1, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        SupervisionVisit.objects.create(round=round_, team=team, organization=city.own)
    planning.drop(round_.visits.get(organization=city.own), "错列", city.admin)
    own = Organization.objects.filter(pk=city.own.pk)
    assert planning.add_places(team, own, None, city.admin) == planning.Added(1, 0)


def test_all_unions_of_a_county_at_once_without_the_dissolved(city, campaign):
    round_ = make_round(city.admin, campaign, members=[city.reviewer], started=False)
    city.sibling.dissolved_on = today()
    city.sibling.save()
    below = Organization.objects.subtree_of(city.county)
    done = planning.add_places(round_.teams.get(), below, today(), city.admin)
    assert done == planning.Added(3, 1)  # county, township and own
    with pytest.raises(NotAllowed, match="督查期间"):
        planning.add_places(round_.teams.get(), below, today() - DAY, city.admin)


def test_a_union_dissolved_meanwhile_is_cancelled(city, round_, visit):
    make_finding(visit, city.reviewer)
    city.own.dissolved_on = today()
    city.own.save()
    with pytest.raises(NotAllowed, match="已经撤销"):
        feed_back(visit, city.reviewer)
    planning.drop(visit, "工会已撤销", city.admin)
    visit.refresh_from_db()
    assert (visit.state, visit.findings.count()) == ("CANCELLED", 1)
    with pytest.raises(NotAllowed, match="已取消"):
        make_finding(visit, city.reviewer)


def test_before_the_start_nothing_of_a_place_stays(city, campaign):
    round_ = make_round(city.admin, campaign, city.own, members=[city.reviewer], started=False)
    visit = round_.visits.get()
    with pytest.raises(NotAllowed, match="没有开始"):
        make_finding(visit, city.reviewer)
    planning.drop(visit, "错列", city.admin)
    assert not round_.visits.exists()
    with pytest.raises(NotAllowed, match="还没有要走访的工会"):
        planning.start(round_, city.admin)


def test_a_round_is_closed_once_every_union_is_done(city, round_, visit):
    with pytest.raises(NotAllowed, match="还有 2 个工会"):
        planning.close(round_, city.admin)
    found = make_finding(visit, city.reviewer)
    feed_back(visit, city.reviewer)
    planning.drop(round_.visits.get(organization=city.foreign), "时间不够", city.admin)
    planning.close(round_, city.admin)
    with pytest.raises(NotAllowed, match="已经结束"):
        planning.start(round_, city.admin)
    rectifying.answer(found, "已整改。", [], city.head)  # goes on all the same
    assert Notification.objects.filter(recipient=city.reviewer, text__contains="请验收").exists()


def test_who_must_stand_back_neither_goes_nor_sees(city, round_, visit):
    tied = make_user((city.city, Role.REVIEWER), (city.township, Role.VIEWER))
    team = round_.teams.get()
    with pytest.raises(NotAllowed, match="须回避"):
        planning.save_team(team, name="第一组", leader=city.reviewer, members=[tied], by=city.admin)
    Recusal.objects.create(reviewer=city.reviewer, organization=city.county, reason="亲属")
    assert visit not in sees(city.reviewer)
    with pytest.raises(NotAllowed, match="须回避"):
        make_finding(visit, fresh(city.reviewer))
    other = SupervisionTeam(round=round_)
    planning.save_team(other, name="第二组", leader=city.reviewer, members=[], by=city.admin)
    other.members.set([fresh(city.reviewer)])
    assert city.sibling not in planning.places_for(other)
    assert city.direct in planning.places_for(other)
    Recusal.objects.create(reviewer=city.admin, organization=city.own, reason="亲属")
    assert visit not in sees(city.admin)


def test_a_team_is_of_the_organizers_own_people(city, round_):
    team = SupervisionTeam(round=round_)
    with pytest.raises(NotAllowed, match="不能参加"):
        planning.save_team(team, name="二组", leader=city.head, members=[], by=city.admin)
    with pytest.raises(NotAllowed, match="已有名为"):
        planning.save_team(
            SupervisionTeam(round=round_),
            name="第一组",
            leader=city.lead,
            members=[],
            by=city.admin,
        )
    with pytest.raises(NotAllowed, match="列有走访"):
        planning.remove_team(round_.teams.get(), city.admin)


def test_who_has_left_the_office_sees_no_visit_any_more(city, round_, visit):
    city.reviewer.memberships.all().delete()
    assert sees(city.reviewer) == set()


def test_what_is_handed_over_stays_as_it_is(city, visit, finding):
    with pytest.raises(NotAllowed, match="已反馈"):
        visiting.remove(finding, city.reviewer)
    with pytest.raises(NotAllowed, match="已反馈"):
        make_finding(visit, city.reviewer)
    with pytest.raises(NotAllowed, match="已反馈"):
        feed_back(visit, city.reviewer)
    details = audit.events_of(visit).first().details
    assert details["findings"][0]["text"] == "会员名册没有更新。"


def test_days_of_a_visit(city, visit):
    late = make_finding(visit, city.reviewer)
    for day, message in ((today() + DAY, "不能晚于今天"), (today() - DAY, "不能早于督查开始")):
        with pytest.raises(NotAllowed, match=message):
            visiting.feed_back(visit, visited_on=day, summary="好。", by=city.reviewer)
    SupervisionFinding.objects.filter(pk=late.pk).update(rectify_by=today() - DAY)
    with pytest.raises(NotAllowed, match="期限已经过了"):
        feed_back(visit, city.reviewer)


def test_two_of_a_team_at_one_finding(city, visit):
    first = make_finding(visit, city.reviewer)
    content = visiting.Finding("改过的。", None, "GRAVE", today() + DAY)
    visiting.save(first, content, [], by=city.reviewer, seen=1)
    with pytest.raises(steps.Stale, match="刚刚修改"):
        visiting.save(first, content, [], by=city.reviewer, seen=1)


def test_the_second_to_answer_or_to_check_is_told(city, finding):
    rectifying.answer(finding, "已整改。", [], city.head)
    with pytest.raises(NotAllowed, match="目前是“待验收”"):
        rectifying.answer(finding, "也整改了。", [photo()], city.reporter)
    assert finding.rectifications.count() == 1
    assert not SupervisionFile.objects.exists()
    assert not StoredFile.objects.filter(evidence=None).exists()
    rectifying.accept(finding, "好。", city.reviewer)
    with pytest.raises(NotAllowed, match="目前是“整改到位”"):
        rectifying.send_back(finding, "不行。", today(), city.reviewer)


def test_after_the_day_an_answer_is_taken_and_marked(city, finding):
    SupervisionFinding.objects.filter(pk=finding.pk).update(rectify_by=today() - DAY)
    assert finding in SupervisionFinding.objects.overdue(today())
    rectifying.answer(finding, "晚了，已整改。", [], city.head)
    assert finding.rectifications.get().is_late
    assert "（逾期）" in told(city.reviewer)[-1]
    assert not SupervisionFinding.objects.overdue(today()).exists()


def test_put_right_on_the_spot(city, finding):
    with pytest.raises(NotAllowed, match="写明整改情况"):
        rectifying.accept(finding, "", city.reviewer)
    rectifying.accept(finding, "现场已更新名册。", city.reviewer)
    assert finding.rectifications.get().text == "现场已更新名册。"


def test_who_answers_and_who_checks(city, finding):
    for user in (city.own_viewer, city.township_head, city.admin, city.sibling_head):
        with pytest.raises(NotAllowed):
            rectifying.answer(finding, "已整改。", [], user)
    rectifying.answer(finding, "已整改。", [], city.head)
    for user in (city.head, city.lead, city.leader, city.other_reviewer, city.county_admin):
        with pytest.raises(NotAllowed):
            rectifying.accept(finding, "好。", fresh(user))
    tied = make_user((city.city, Role.ADMIN), (city.own, Role.VIEWER))
    with pytest.raises(NotAllowed):
        rectifying.accept(finding, "好。", tied)
    rectifying.accept(finding, "好。", city.admin)


def test_a_wrong_file_keeps_nothing_of_the_answer(city, finding):
    with pytest.raises(EvidenceRefused, match="不能接受"):
        rectifying.answer(finding, "已整改。", [photo(), EXE], city.head)
    finding.refresh_from_db()
    assert (finding.state, finding.rectifications.count()) == ("OPEN", 0)
    assert not SupervisionFile.objects.exists()


def test_too_many_files(city, visit):
    many = [SimpleUploadedFile(f"{n}.png", PNG + bytes([n])) for n in range(21)]
    with pytest.raises(EvidenceRefused, match="最多 20 个"):
        make_finding(visit, city.reviewer, *many)
    assert not visit.findings.exists()


def test_photos_go_with_their_finding_and_stay_with_the_record(city, visit):
    found = make_finding(visit, city.reviewer, photo(), photo("同一张.png"))
    (kept,) = found.files.all()
    assert orphans.unused_files() == []
    visiting.detach(kept, city.reviewer)
    assert not StoredFile.objects.filter(pk=kept.stored_file_id).exists()
    found = make_finding(visit, city.reviewer, photo())
    visiting.remove(found, city.reviewer)
    assert not StoredFile.objects.exists()


def test_what_waits_on_the_workbench(city, campaign, visit):
    def waiting(user):
        now = dt.datetime.now(dt.UTC)
        return [
            (task.title, task.text, task.days_left)
            for task in workbench.tasks(fresh(user), campaign, now)
            if task.title.startswith("督查")
        ]

    assert waiting(city.reviewer) == [("督查走访", "2 个工会等待走访。", 30)]
    found = make_finding(visit, city.reviewer)
    assert waiting(city.head) == []
    feed_back(visit, city.reviewer)
    assert waiting(city.head) == [("督查整改", "督查反馈的 1 个问题等待整改。", 15)]
    SupervisionFinding.objects.update(rectify_by=today() - DAY)
    assert waiting(city.head) == [("督查整改", "督查反馈的 1 个问题等待整改。", -1)]
    assert waiting(city.own_viewer) == waiting(city.township_head) == []
    rectifying.answer(found, "已整改。", [], city.head)
    assert waiting(city.head) == []
    assert ("督查验收", "1 个问题的整改等待验收。", None) in waiting(city.reviewer)
    assert waiting(city.admin) == [("督查验收", "1 个问题的整改等待验收。", None)]


def test_a_team_whose_people_have_left_leaves_the_checking_to_the_administrator(city, finding):
    User.objects.filter(pk=city.reviewer.pk).update(is_active=False)
    rectifying.answer(finding, "已整改。", [], city.head)
    assert told(city.admin)[-1] == f"“{city.own}”报送了整改，请验收。"


def test_a_campaign_is_archived_when_its_findings_are_put_right_and_then_nothing_goes_on(
    city, campaign, round_, finding
):
    campaigns.close_campaign(campaign, by=None)
    with pytest.raises(campaigns.NotInOrder, match="1 个督查发现的问题还没有整改到位"):
        campaigns.archive(campaign, fresh(city.admin))
    rectifying.answer(finding, "已整改。", [], city.head)
    rectifying.accept(finding, "好。", city.reviewer)
    campaigns.archive(campaign, fresh(city.admin))
    other = round_.visits.get(organization=city.foreign)
    for act in (
        lambda: make_round(city.admin, campaign, members=[city.reviewer]),
        lambda: planning.close(round_, city.admin),
        lambda: make_finding(other, city.reviewer),
    ):
        with pytest.raises(NotAllowed, match="已经归档"):
            act()


def test_an_industrial_union_is_visited_too(city, campaign):
    round_ = make_round(city.admin, campaign, city.industry, members=[city.lead])
    writer = make_user((city.industry, Role.HEAD))
    found = make_finding(round_.visits.get(), city.lead)
    feed_back(round_.visits.get(), city.lead)
    rectifying.answer(found, "已整改。", [], writer)
    assert AuditEvent.objects.filter(action="SUPERVISION_RECTIFIED").exists()
