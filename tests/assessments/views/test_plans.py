"""实施方案: who must file, what is accepted, who reads it, and what becomes of it."""

import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from assessments import campaigns, plans, workbench
from assessments.choices import Matter, PlanAction, PlanState
from assessments.models import Campaign, ImplementationPlan, Recusal, StoredFile, Urge
from organizations import audit, reorganizing
from organizations.choices import Act, Role
from organizations.models import Notification, User
from tests import factories
from tests.factories import make_plan, make_user, today
from tests.uploads import DOCX, PDF, PNG, xlsx

pytestmark = pytest.mark.django_db

LIST, URGE = "/plans/", "/plans/urge/"


@pytest.fixture
def campaign(city):
    return factories.make_campaign(plan_deadline=today() + dt.timedelta(days=5))


def past_deadline(campaign):
    campaign.plan_deadline = today() - dt.timedelta(days=1)
    campaign.save()


def write(client, city, campaign, user=None, union=None, *, then="", seen=0, **changes):
    """Save the page of the plan, all parts filled in unless the changes say otherwise."""
    union = union or city.own
    client.force_login(user or city.head)
    parts = {f"part{n}": f"第{n}部分" for n in range(len(plans.outline(campaign, union)))}
    url = reverse("assessments:plan_edit", args=[campaign.year, union.pk])
    return client.post(url, parts | {"then": then, "seen": seen} | changes, follow=True)


def act(client, user, plan, action, **fields):
    client.force_login(user)
    plan.refresh_from_db()
    url = f"{plan.get_absolute_url()}{action}/"
    return client.post(url, {"seen": plan.stamp} | fields, follow=True)


def status(client, user, url):
    client.force_login(user)
    return client.get(url).status_code


def test_from_the_outline_to_the_receipt(client, city, campaign):
    client.force_login(city.reporter)
    url = reverse("assessments:plan_edit", args=[campaign.year, city.own.pk])
    page = client.get(url).content.decode()
    for heading in ("总体安排", "党政重视支持好", "开展工作效果好", "宣传和保障"):
        assert heading in page
    write(client, city, campaign, city.reporter, part0="", part1="党组织每季度听取汇报。")
    plan = ImplementationPlan.objects.get()
    assert (plan.state, plan.number) == (PlanState.DRAFT, None)
    assert not Notification.objects.filter(recipient=city.admin).exists()

    page = write(client, city, campaign, then="file", seen=plan.stamp, part0=" ").content.decode()
    assert "报送前请填写“总体安排”，或者上传文件。" in page
    assert "第1部分" in page
    page = write(client, city, campaign, then="file", seen=plan.stamp).content.decode()
    assert "已报送，可以打印回执。" in page
    plan.refresh_from_db()
    assert (plan.state, plan.number, plan.late) == (PlanState.FILED, 1, False)
    assert f"平工六好案〔{campaign.year}〕0001号" in page
    receipt = client.get(f"{plan.get_absolute_url()}receipt.pdf")
    assert b"".join(receipt.streaming_content).startswith(b"%PDF")
    assert Notification.objects.filter(recipient=city.admin, link=plan.get_absolute_url()).exists()
    assert [event.action for event in audit.events_of(plan)] == [Act.PLAN_FILED]
    assert client.get(url).status_code == 302  # nothing more to write


def test_a_file_stands_for_the_text(client, city, campaign):
    empty = {f"part{n}": "" for n in range(8)}
    for name, content in [("方案.docx", DOCX), ("方案.pdf", PDF)]:
        plan = ImplementationPlan.objects.first()
        upload = SimpleUploadedFile(name, content)
        seen = plan.stamp if plan else 0
        write(client, city, campaign, seen=seen, upload=upload, **empty)
    version = ImplementationPlan.objects.get().versions.get()
    assert version.name == "方案.pdf"
    assert StoredFile.objects.count() == 1  # the one before is gone
    plan = version.plan
    page = write(client, city, campaign, then="file", seen=plan.stamp, drop_file="on", **empty)
    assert "或者上传文件。" in page.content.decode()
    write(client, city, campaign, then="file", seen=plan.stamp, **empty)
    url = reverse("assessments:plan_file", args=[version.pk])
    for user, expected in [(city.head, 200), (city.lead, 200), (city.sibling_head, 404)]:
        assert status(client, user, url) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("照片.png", PNG, "不是文档，没有上传。可以上传：Word"),
        ("表格.docx", xlsx(), "不是文档，没有上传。可以上传：Word"),
        ("程序.pdf", b"MZ\x90\x00", "“程序.pdf”"),
        ("空.docx", b"", "是空文件，没有上传。"),
        ("很大.pdf", PDF + b" " * (20 * 1024 * 1024), "超过 20 MB，没有上传。"),
    ],
)
def test_a_wrong_file_is_answered_at_its_field_and_costs_no_text(
    client, city, campaign, name, content, message
):
    upload = SimpleUploadedFile(name, content)
    page = write(client, city, campaign, then="file", upload=upload, part0="写了很久的内容")
    assert message in str(page.context["form"].errors["upload"])
    assert "写了很久的内容" in page.content.decode()
    assert not ImplementationPlan.objects.exists()
    assert not StoredFile.objects.exists()


def test_too_long_a_text_is_answered_at_its_field(client, city, campaign):
    page = write(client, city, campaign, part2="长" * 3001)
    assert "最多 3000 字，现为 3001 字" in str(page.context["form"].errors["part2"])
    assert not ImplementationPlan.objects.exists()


def test_accepted_or_sent_back_with_remarks_and_filed_again(client, city, campaign):
    plan = make_plan(campaign, city.own, city.head)
    page = act(client, city.admin, plan, "return", remarks="  ").content.decode()
    assert "请填写退回意见。" in page
    act(client, city.admin, plan, "return", remarks="请写明责任人。")
    plan.refresh_from_db()
    assert plan.state == PlanState.RETURNED
    told = Notification.objects.get(recipient=city.reporter)
    assert "被退回修改：请写明责任人。" in told.text

    past_deadline(campaign)  # mending what came in time is not late
    write(client, city, campaign, then="file", seen=plan.stamp, part0="张主席负责。")
    plan.refresh_from_db()
    assert (plan.state, plan.number, plan.late) == (PlanState.FILED, 1, False)
    first, second = plan.versions.all()
    assert first.sections[0]["text"] == "按计划推进，责任到人。"
    assert second.sections[0]["text"] == "张主席负责。"
    page = act(client, city.lead, plan, "accept").content.decode()
    assert "已接收，并通知了工会。" in page
    assert "请写明责任人。" in page  # among what was filed before
    plan.refresh_from_db()
    assert plan.state == PlanState.ACCEPTED
    assert act(client, city.head, plan, "withdraw").status_code == 409


def test_what_is_mended_is_the_unions_own_until_it_is_filed(client, city, campaign):
    plan = make_plan(campaign, city.own, city.head, PlanState.RETURNED)
    write(client, city, campaign, seen=plan.stamp, part0="改到一半")
    for user, reads in [(city.own_viewer, True), (city.lead, False), (city.county_head, False)]:
        client.force_login(user)
        page = client.get(plan.get_absolute_url()).content.decode()
        assert ("改到一半" in page) == reads
    draft = make_plan(campaign, city.foreign, city.foreign_head, PlanState.DRAFT)
    assert status(client, city.foreign_head, draft.get_absolute_url()) == 200
    assert status(client, city.lead, draft.get_absolute_url()) == 404


def test_withdrawn_before_anybody_has_handled_it(client, city, campaign):
    plan = make_plan(campaign, city.own, city.head)
    act(client, city.reporter, plan, "withdraw")
    plan.refresh_from_db()
    assert (plan.state, plan.number) == (PlanState.DRAFT, 1)
    assert status(client, city.lead, plan.get_absolute_url()) == 404
    past_deadline(campaign)
    write(client, city, campaign, then="file", seen=plan.stamp)
    plan.refresh_from_db()
    assert (plan.number, plan.late) == (1, True)  # the receipt stays, the day is the later one


def test_late_filing_stays_possible_until_the_campaign_closes(client, city, campaign):
    past_deadline(campaign)
    page = write(client, city, campaign, then="file").content.decode()
    assert "逾期" in page
    assert ImplementationPlan.objects.get().late
    campaigns.close_campaign(campaign, by=None)
    page = write(client, city, campaign, city.foreign_head, city.foreign, then="file")
    assert page.status_code == 409
    assert "创建活动没有开放，不能报送。" in page.content.decode()
    assert "第0部分" in page.content.decode()
    assert ImplementationPlan.objects.count() == 1


def test_a_stale_page_shows_what_the_other_has_written(client, city, campaign):
    write(client, city, campaign, city.reporter, part0="王填报写的")
    page = write(client, city, campaign, city.head, part0="李主席写的")
    assert page.status_code == 409
    body = page.content.decode()
    assert "王填报写的" in body
    assert "李主席写的" in body
    write(client, city, campaign, city.head, part0="李主席写的", seen=page.context["seen"])
    version = ImplementationPlan.objects.get().versions.get()
    assert version.sections[0]["text"] == "李主席写的"
    plan = make_plan(campaign, city.foreign, city.foreign_head)
    seen = plan.stamp
    act(client, city.admin, plan, "accept")
    page = act(client, city.lead, plan, "return", remarks="再改", seen=seen)
    assert page.status_code == 409
    assert "请核对后再办理" in page.content.decode()


def test_only_those_that_must_file(client, city, campaign):
    industry_head = make_user((city.industry, Role.HEAD))
    for user, union, expected in [
        (city.county_head, city.county, 200),
        (industry_head, city.industry, 200),
        (city.head, city.own, 200),
        (city.township_head, city.township, 404),  # the policy does not name it
        (city.own_viewer, city.own, 404),
        (city.county_head, city.own, 404),
        (city.admin, city.own, 404),
    ]:
        url = reverse("assessments:plan_edit", args=[campaign.year, union.pk])
        assert status(client, user, url) == expected, union
    reorganizing.dissolve(city.own, on=today(), reason="停产", by=city.admin)
    url = reverse("assessments:plan_edit", args=[campaign.year, city.own.pk])
    assert status(client, User.objects.get(pk=city.head.pk), url) == 404


def test_whoever_must_stand_back_neither_sees_nor_handles(client, city, campaign):
    plan = make_plan(campaign, city.own, city.head)
    Recusal.objects.create(reviewer=city.lead, organization=city.township, reason="亲属")
    assert status(client, city.lead, plan.get_absolute_url()) == 404
    assert act(client, city.lead, plan, "accept").status_code == 404
    client.force_login(city.lead)
    assert city.own not in client.get(LIST).context["organizations"]
    tied = make_user((city.city, Role.ADMIN), (city.own, Role.REPORTER))
    assert act(client, tied, plan, "accept").status_code == 404


def test_who_is_missing_and_late_at_a_glance_and_in_excel(client, city, campaign):
    make_plan(campaign, city.own, city.head)
    make_plan(campaign, city.sibling, city.sibling_head, PlanState.DRAFT)
    past_deadline(campaign)
    make_plan(Campaign.objects.get(), city.foreign, city.foreign_head, PlanState.ACCEPTED)
    make_plan(campaign, city.direct, make_user((city.direct, Role.HEAD)), PlanState.RETURNED)
    client.force_login(city.admin)
    page = client.get(LIST)
    counts = page.context["counts"]
    # Two counties, one 产业工会, four 基层工会: the townships are not asked.
    assert (counts.total, counts.filed, counts.returned, counts.missing) == (7, 2, 1, 4)
    assert (counts.filed_late, counts.overdue) == (1, 4)
    for query, expected in [
        ({"state": "NONE"}, {city.county, city.other_county, city.industry}),
        ({"state": "DRAFT"}, {city.sibling}),
        ({"late": "in_time", "tier": "GRASSROOTS"}, {city.own}),
        ({"late": "late", "county": city.other_county.code}, {city.other_county, city.foreign}),
    ]:
        assert set(client.get(LIST, query).context["organizations"]) == expected
    book = client.get(LIST, {"state": "NONE", "format": "xlsx"})
    sheet = load_workbook(io.BytesIO(b"".join(book.streaming_content))).active
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert city.industry.name in cells
    assert city.own.name not in cells
    client.force_login(city.county_head)
    assert set(client.get(LIST).context["organizations"]) == {city.county, city.own, city.sibling}


def test_those_that_are_behind_are_urged_once_a_day(client, city, campaign):
    make_plan(campaign, city.own, city.head)
    client.force_login(city.county_head)
    assert "将催报 <strong>1</strong> 个" in client.get(URGE).content.decode()
    # Back to the list as it was filtered.
    page = client.get(f"{URGE}?tier=GRASSROOTS").content.decode()
    assert f'href="/plans/?tier=GRASSROOTS&amp;year={campaign.year}"' in page
    client.post(URGE, {"text": "请尽快报送实施方案。"})
    urged = Urge.objects.get()
    assert (urged.organization, urged.matter) == (city.sibling, Matter.PLAN)
    told = Notification.objects.get(recipient=city.sibling_head)
    assert told.text == "催报：请尽快报送实施方案。"
    assert told.due_on == campaign.plan_deadline
    client.post(URGE, {"text": "再催一次。"})
    assert Urge.objects.count() == 1
    # The self-assessment is another matter.
    client.post("/oversight/urge/", {"text": "请提交自评。"})
    assert Urge.objects.filter(organization=city.sibling).count() == 2


def test_what_waits_stands_on_the_workbench(client, city, campaign):
    def waiting(user):
        now = dt.datetime.now(dt.UTC)
        found = workbench.tasks(User.objects.get(pk=user.pk), campaign, now)
        return [(one.text, one.days_left) for one in found if "实施方案" in one.title]

    assert waiting(city.head) == [("还没有开始写实施方案。", 5)]
    assert waiting(city.township_head) == waiting(city.admin) == []
    plan = make_plan(campaign, city.own, city.head)
    assert waiting(city.head) == []
    assert waiting(city.admin) == waiting(city.lead) == [("1 份实施方案等待审核。", None)]
    plans.perform(plan, PlanAction.RETURN, by=city.admin, seen=plan.stamp, remarks="请改。")
    assert waiting(city.head) == [("实施方案被退回，请按意见修改后重新报送。", 5)]
    assert waiting(city.admin) == []
