"""Titles: given together with numbers without a gap, looked up by number, looked at again, lost."""

import datetime as dt
import io
import zipfile

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import deadlines, recognition, rollups, workbench
from assessments.assigning import NotAllowed
from assessments.choices import RecheckOutcome, State
from assessments.models import Campaign, Decision, Recheck, Recognition, Recusal
from assessments.views import certificates
from organizations import audit
from organizations.choices import Role, Tier
from organizations.models import AuditEvent, Notification, User
from tests import factories
from tests.factories import PASSWORD, give_password, make_self_assessment
from tests.pdf import text_of

pytestmark = pytest.mark.django_db
LOOK_UP = reverse("assessments:certificate_look_up")
HONOURS = reverse("assessments:honours")


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def finals(city, campaign):
    """Two grassroots unions and a township at standard, one union that is not."""
    rows = [
        (city.own, "1"),
        (city.foreign, "1"),
        (city.other_township, "1"),
        (city.direct, "0.5"),
    ]
    return [
        make_self_assessment(city, campaign, State.FINAL, organization=one, share=share)
        for one, share in rows
    ]


def award(campaign, by, seen=None):
    waiting = recognition.awaiting(campaign).count() if seen is None else seen
    return recognition.award(campaign, factories.today(), fresh(by), waiting)


@pytest.fixture
def title(city, campaign, finals):
    award(campaign, city.admin)
    return Recognition.objects.get(organization=city.own)


def numbers():
    return [str(one) for one in Recognition.objects.select_related("campaign")]


def test_all_at_standard_are_named_with_numbers_by_tier_and_told(city, campaign, finals):
    assert award(campaign, city.admin) == recognition.Awarded(3, 0)
    year = campaign.year
    assert numbers() == [
        f"平工六好〔{year}〕G0001号",
        f"平工六好〔{year}〕G0002号",
        f"平工六好〔{year}〕T0001号",
    ]
    assert not Recognition.objects.filter(organization=city.direct).exists()
    assert Notification.objects.filter(recipient=city.head, text__contains="被命名为").count() == 1
    assert AuditEvent.objects.filter(action="RECOGNISED").count() == 3
    assert list(audit.verify()) == []


def test_a_second_act_goes_on_counting_and_names_nobody_twice(city, campaign, finals):
    award(campaign, city.admin)
    with pytest.raises(NotAllowed, match="没有等待命名"):
        award(campaign, city.admin, seen=3)
    make_self_assessment(city, campaign, State.FINAL, organization=city.sibling)
    award(campaign, city.admin)
    assert numbers()[2] == f"平工六好〔{campaign.year}〕G0003号"


def test_a_list_that_has_changed_is_shown_first(city, campaign, finals):
    with pytest.raises(NotAllowed, match="现在是 3 个"):
        award(campaign, city.admin, seen=2)
    assert not Recognition.objects.exists()


def test_a_dissolved_union_is_not_named_and_a_renamed_one_keeps_its_certificate(
    city, campaign, finals
):
    city.foreign.dissolved_on = factories.today()
    city.foreign.save()
    assert award(campaign, city.admin).given == 2
    title = Recognition.objects.get(organization=city.own)
    name, city.own.name = city.own.name, "新名称工会"
    city.own.save()
    title.refresh_from_db()
    assert title.union_name == name


def test_who_must_stand_back_leaves_the_union_to_somebody_else(city, campaign, finals):
    Recusal.objects.create(reviewer=city.admin, organization=city.own, reason="亲属")
    assert award(campaign, city.admin) == recognition.Awarded(2, 1)
    other = factories.make_user((city.city, Role.ADMIN))
    assert award(campaign, other) == recognition.Awarded(1, 0)
    assert numbers()[1] == f"平工六好〔{campaign.year}〕G0002号"
    with pytest.raises(NotAllowed):
        award(campaign, city.lead, seen=0)


def test_a_title_is_held_for_the_cycle(city, title):
    """A union that holds one is looked at again instead of being named again."""
    year = title.campaign.year
    next_year = factories.make_campaign(year=year + 1, cycle_start_year=year)
    make_self_assessment(city, next_year, State.FINAL)
    assert not recognition.awaiting(next_year).exists()
    Recognition.objects.filter(pk=title.pk).update(revoked_at=deadlines.now())
    assert recognition.awaiting(next_year).count() == 1
    assert not recognition.awaiting(title.campaign).exists()  # not by the same decision


def test_the_database_knows_a_number_once(city, title):
    other = Recognition.objects.get(organization=city.foreign)
    with pytest.raises(IntegrityError), transaction.atomic():
        Recognition.objects.filter(pk=other.pk).update(number=title.number)


# --- The page ---------------------------------------------------------------------------------------


def test_naming_on_the_page_takes_the_own_password_and_a_possible_day(
    client, city, campaign, finals
):
    client.force_login(give_password(city.admin))
    assert "3 个工会评定达标" in client.get(reverse("assessments:recognition_list")).text
    url = reverse("assessments:recognition_award", args=[campaign.year])
    day = factories.today()
    for posted, message in [
        ({"awarded_on": day + dt.timedelta(1)}, "不能晚于今天"),
        ({"awarded_on": day - dt.timedelta(1)}, "不能早于评定日期"),
        ({"awarded_on": "明天"}, "请按 2026-05-31 的样子"),
        ({"awarded_on": day, "password": "错"}, "密码不正确"),
        ({"awarded_on": day, "seen": "1"}, "现在是 3 个"),
    ]:
        sent = {"password": PASSWORD, "seen": "3"} | posted
        assert message in client.post(url, sent).text
    assert not Recognition.objects.exists()
    client.post(url, {"awarded_on": day, "password": PASSWORD, "seen": "3"})
    assert Recognition.objects.count() == 3
    assert client.get(url).status_code == 302
    page = client.get(reverse("assessments:recognition_list"), {"standing": "due"}).text
    assert "G0002号" in page
    page = client.get(reverse("assessments:recognition_list"), {"standing": "revoked"}).text
    assert "没有符合条件的命名" in page


def test_certificates_and_letters_come_in_one_go(client, city, campaign, title):
    Recognition.objects.filter(organization=city.foreign).update(revoked_at=deadlines.now())
    client.force_login(city.admin)
    text = text_of(client.get(reverse("assessments:certificates", args=[campaign.year])))
    assert city.own.name in text
    assert f"平工六好〔{campaign.year}〕T0001号" in text
    assert city.foreign.name not in text
    text = text_of(client.get(reverse("assessments:certified_letters", args=[campaign.year])))
    assert text.count("评定结果通知书") == 2
    beyond = reverse("assessments:certificates", args=[campaign.year]) + "?part=2"
    assert client.get(beyond).status_code == 404


def test_all_papers_come_in_one_archive_however_many(client, city, campaign, title, monkeypatch):
    monkeypatch.setattr(certificates, "PORTION", 2)
    client.force_login(city.lead)
    url = reverse("assessments:recognition_papers", args=[campaign.year])
    assert url in client.get(reverse("assessments:recognition_list")).text
    response = client.get(url)
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"{paper}（第 {part} 批）.pdf"
            for part in (1, 2)
            for paper in ("命名证书", "评定结果通知书")
        ]
        assert all(archive.read(name).startswith(b"%PDF") for name in archive.namelist())
    client.force_login(city.head)
    assert client.get(url).status_code == 404


def test_a_union_has_its_own_certificate_marked_once_the_title_is_lost(client, city, title):
    client.force_login(city.head)
    url = reverse("assessments:certificate", args=[title.pk])
    assert "已撤销" not in text_of(client.get(url))
    Recognition.objects.filter(pk=title.pk).update(revoked_at=deadlines.now())
    assert "本证书已撤销" in text_of(client.get(url))


def test_a_hostile_name_is_printed_as_it_is(client, city, title):
    Recognition.objects.filter(pk=title.pk).update(union_name="<img src=file:///etc/passwd>甲&乙")
    client.force_login(city.head)
    text = text_of(client.get(reverse("assessments:certificate", args=[title.pk])))
    assert "<imgsrc=file:///etc/passwd>甲&乙" in text


# --- Looking up -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["平工六好〔{}〕G0001号", "{}G0001", "{} g 1", "平工六好({})g0001", "{}Ｇ０００１"]
)
def test_a_number_is_found_however_it_was_typed(client, title, typed):
    response = client.get(LOOK_UP, {"number": typed.format(title.campaign.year)})
    assert "证书有效" in response.text
    assert title.union_name in response.text


def lose(title, city):
    recognition.recheck(title, RecheckOutcome.REVOKE, "弄虚作假", fresh(city.admin), "None")
    recognition.confirm_revocation(title, fresh(city.lead), recognition.stamp(title))


def test_a_lost_title_is_shown_as_such_and_the_reason_is_not(client, city, title):
    lose(title, city)
    text = client.get(LOOK_UP, {"number": str(title)}).text
    assert "证书无效" in text
    assert "弄虚作假" not in text


def test_everybody_reads_who_holds_a_title_and_nobody_else(client, city, campaign, title):
    text = client.get(HONOURS).text
    for union in (city.own, city.foreign, city.other_township):
        assert union.name in text
    assert city.direct.name not in text  # not at standard
    assert str(title) in text
    assert not any(user.full_name in text for user in city.users().values())
    for query, found in (
        ({"county": city.county.code}, {city.own.name}),
        ({"tier": "TOWNSHIP"}, {city.other_township.name}),
        ({"of_year": str(campaign.year), "q": "实验"}, {city.foreign.name}),
        ({"of_year": "1999", "tier": "PLANET"}, None),  # makes no sense: left out of account
    ):
        held = {one.union_name for one in client.get(HONOURS, query).context["recognitions"]}
        assert held == found or (found is None and len(held) == 3)


def test_a_lost_title_is_gone_from_the_public_pages(client, city, title):
    results = reverse("assessments:results")
    assert client.get(results).text.count("已生效") == 4
    lose(title, city)
    assert city.own.name not in client.get(HONOURS).text
    text = client.get(results).text
    assert (text.count("命名已撤销"), text.count("已生效")) == (1, 3)
    assert "弄虚作假" not in text


@pytest.mark.usefixtures("one_minute")
def test_guessed_numbers_find_nothing_and_are_slowed_down(client, title):
    for typed in ("2026X0001", "G0001", "九", f"{title.campaign.year}G9999", "２" * 40):
        assert client.get(LOOK_UP, {"number": typed}).status_code == 404
    assert "没有这么长" in client.get(LOOK_UP, {"number": "长" * 41}).text
    for number in range(30):
        last = client.get(LOOK_UP, {"number": f"1999G{number}"})
    assert last.status_code == 429


# --- Looking at it again, and losing it -------------------------------------------------------------


def share(campaign):
    counties = rollups.by_county(campaign)
    return rollups.by_tier(counties)[Tier.GRASSROOTS].at_standard


def test_a_title_that_is_kept_is_told_and_on_record(client, city, title):
    client.force_login(city.lead)
    client.post(
        title.get_absolute_url(),
        {"act": "recheck", "outcome": "KEPT", "remarks": "实地复查，保持较好。", "seen": "None"},
    )
    assert title.rechecks.get().outcome == RecheckOutcome.KEPT
    assert Notification.objects.filter(recipient=city.head, text__contains="保持命名").exists()
    client.force_login(city.head)
    page = client.get(title.get_absolute_url()).text
    assert "实地复查，保持较好。" in page
    assert str(city.lead) not in page


def test_titles_of_earlier_years_wait_to_be_looked_at_again(client, city, campaign, title):
    def waiting(user):
        tasks = workbench.tasks(fresh(user), following, deadlines.now())
        return [one for one in tasks if one.title == "复查命名"]

    year = factories.today().year
    Campaign.objects.update(year=year - 1, cycle_start_year=year - 1)
    following = factories.make_campaign(cycle_start_year=year - 1)
    assert waiting(city.head) == waiting(city.leader) == []
    (task,) = waiting(city.lead)
    assert task.text == f"{year - 1} 年度命名的 3 个工会今年还没有复查。"
    recognition.recheck(title, RecheckOutcome.KEPT, "保持较好。", fresh(city.lead), "None")
    client.force_login(city.admin)
    (task,) = waiting(city.admin)
    found = list(client.get(task.url).context["recognitions"])
    assert len(found) == 2
    assert title not in found
    assert f"命名的 {len(found)} 个工会" in task.text


def test_a_title_is_lost_by_two_people_and_counts_no_more(client, city, campaign, title):
    assert share(campaign) == 2
    client.force_login(give_password(city.lead))
    url = title.get_absolute_url()
    post = {"act": "recheck", "outcome": "REVOKE", "remarks": "发生重大事故", "seen": "None"}
    assert "请填写复查情况" in client.post(url, post | {"remarks": " "}).text
    client.post(url, post)
    assert share(campaign) == 2  # proposed only
    assert Notification.objects.filter(recipient=city.admin, text__contains="请确认").exists()
    assert client.post(url, post).status_code == 409  # a stale page
    seen = recognition.stamp(title)
    confirming = {"act": "confirm", "password": PASSWORD, "seen": seen}
    assert "须由另一人确认" in client.post(url, confirming).text
    client.force_login(city.head)
    assert "发生重大事故" not in client.get(url).text  # not before it is confirmed
    client.force_login(give_password(city.admin))
    assert "密码不正确" in client.post(url, confirming | {"password": "错"}).text
    client.post(url, confirming)
    title.refresh_from_db()
    assert title.revoked_at
    assert share(campaign) == 1
    assert client.post(url, confirming).status_code == 409
    client.force_login(city.head)
    assert "发生重大事故" in client.get(url).text
    assert Decision.objects.get(recognition=title).superseded_at is None
    assert list(audit.verify()) == []


def test_a_proposal_that_is_withdrawn_leaves_the_title(city, title):
    recognition.recheck(title, RecheckOutcome.REVOKE, "待查", fresh(city.lead), "None")
    recognition.withdraw_revocation(title, fresh(city.lead), recognition.stamp(title))
    assert not title.rechecks.exists()
    assert AuditEvent.objects.filter(action="REVOCATION_WITHDRAWN").exists()
    with pytest.raises(NotAllowed, match="没有等待确认"):
        recognition.confirm_revocation(title, fresh(city.admin), recognition.stamp(title))


def test_a_later_decision_counts_after_a_title_was_lost(city, campaign, title):
    Recognition.objects.filter(pk=title.pk).update(revoked_at=deadlines.now())
    year = campaign.year
    next_year = factories.make_campaign(year=year + 1, cycle_start_year=year)
    before = share(next_year)
    make_self_assessment(city, next_year, State.FINAL)
    assert share(next_year) == before + 1


def test_the_recused_cannot_re_check_nor_see(client, city, title):
    Recusal.objects.create(reviewer=city.lead, organization=city.own, reason="亲属")
    client.force_login(city.lead)
    assert client.get(title.get_absolute_url()).status_code == 404
    assert city.own.name not in client.get(reverse("assessments:recognition_list")).text
    with pytest.raises(NotAllowed, match="回避"):
        recognition.recheck(title, RecheckOutcome.KEPT, "好", fresh(city.lead), "None")


def test_the_database_wants_two_people(city, title):
    with pytest.raises(IntegrityError), transaction.atomic():
        Recheck.objects.create(
            recognition=title,
            year=2026,
            outcome=RecheckOutcome.REVOKE,
            remarks="甲",
            by=city.admin,
            at=deadlines.now(),
            confirmed_by=city.admin,
        )
