"""现场核查: drawn and repeatable, arranged, written on site with photos, closed, made to count."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import demo, inspecting, lots, orphans, verdicts, worksheet
from assessments.choices import Action, FindingVerdict, InspectionState, State
from assessments.drawing import Quota
from assessments.inspecting import Entry
from assessments.models import (
    Adjustment,
    FindingPhoto,
    Indicator,
    Inspection,
    InspectionDraw,
    InspectionFinding,
    Recusal,
    SelfAssessment,
    StoredFile,
)
from assessments.scoring import Rating
from organizations import audit
from organizations.models import Notification, User
from tests import factories
from tests.factories import make_self_assessment, perform, today
from tests.pdf import text_of
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.django_db
DRAW = reverse("assessments:inspection_drawing")


def fresh(user):
    return User.objects.get(pk=user.pk)


def indicator(code="G1.01"):
    return Indicator.objects.select_related("criterion").get(code=code)


@pytest.fixture
def reviewed(city, campaign):
    return make_self_assessment(city, campaign, State.REVIEWED)


@pytest.fixture
def visit(city, reviewed):
    """The other reviewer goes there today, announced."""
    found = inspecting.add(reviewed, "群众反映", fresh(city.lead))
    return inspecting.schedule(
        found,
        inspectors=[fresh(city.other_reviewer)],
        planned_on=today(),
        announced=True,
        by=fresh(city.lead),
    )


def write(visit, by, code="G1.01", verdict="REFUTED", text="没有会议纪要。", score=1, seen=""):
    rating = Rating(score=Decimal(score))
    return inspecting.save(visit, [Entry(indicator(code), verdict, text, rating, seen)], fresh(by))


def close(visit, by):
    return inspecting.complete(
        visit, visited_on=today(), minutes="查阅了台账。", statement="认可。", by=fresh(by)
    )


def page(visit, number=1):
    return reverse("assessments:inspection_criterion", args=[visit.pk, number])


# --- The draw ---------------------------------------------------------------------------------------


@pytest.fixture
def three(city, campaign):
    return [
        make_self_assessment(city, campaign, State.SUBMITTED, organization=one)
        for one in (city.own, city.sibling, city.foreign)
    ]


def test_a_draw_is_done_as_shown_and_can_be_repeated(client, city, campaign, three):
    client.force_login(city.lead)
    shown = client.get(DRAW, {"GRASSROOTS": "1", "seed": "7"})
    draft = shown.context["draft"]
    assert "预览（种子 7，共抽 2 个）" in shown.content.decode()
    assert city.county.name in shown.content.decode()
    fields = {"GRASSROOTS": "1", "seed": "7", "digest": draft.digest}
    response = client.post(DRAW, fields, follow=True)
    assert "已抽取 2 个工会。" in response.content.decode()
    made = InspectionDraw.objects.get()
    drawn = set(made.inspections.values_list("self_assessment", flat=True))
    assert drawn == set(draft.picked)
    assert three[2].pk in drawn  # the only one of its county
    replayed = client.get(made.get_absolute_url(), {"replay": 1}).content.decode()
    assert "结果与名单完全一致" in replayed
    assert lots.replay(made)
    text = text_of(client.get(reverse("assessments:inspection_lot", args=[made.pk])))
    assert "随机种子7" in text
    assert str(city.foreign) in text
    again = client.post(DRAW, fields)
    assert again.status_code == 409  # what is drawn is not drawn again
    assert "请核对新的预览" in again.content.decode()
    assert InspectionDraw.objects.count() == 1


def test_what_changed_after_the_preview_is_shown_again(city, campaign, three):
    quotas = {"GRASSROOTS": Quota(1)}
    draft = lots.prepare(campaign, quotas, 7, fresh(city.lead))
    perform(three[0], Action.WITHDRAW, city.head)
    with pytest.raises(lots.Changed):
        lots.draw(campaign, quotas, 7, fresh(city.lead), seen=draft.digest)
    assert not Inspection.objects.exists()


def test_a_tampered_list_does_not_repeat(city, campaign, three):
    quotas = {"GRASSROOTS": Quota(1)}
    draft = lots.prepare(campaign, quotas, 7, fresh(city.lead))
    made = lots.draw(campaign, quotas, 7, fresh(city.lead), seen=draft.digest)
    made.inspections.first().delete()
    assert not lots.replay(made)


def test_what_the_drawer_must_stand_back_from_is_not_drawn(city, campaign, three):
    Recusal.objects.create(reviewer=city.lead, organization=city.county, reason="亲属")
    draft = lots.prepare(campaign, {"GRASSROOTS": Quota(100, is_percent=True)}, 1, fresh(city.lead))
    assert draft.picked == (three[2].pk,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": "1"}, "请至少填写一个层级的抽取数量。"),
        ({"seed": "1", "GRASSROOTS": "0"}, "请填写份数或百分比"),
        ({"seed": "1", "GRASSROOTS": "-1"}, "请填写份数或百分比"),
        ({"seed": "1", "GRASSROOTS": "101%"}, "请填写份数或百分比"),
        ({"seed": "1", "GRASSROOTS": "两个"}, "请填写份数或百分比"),
        ({"seed": "x", "GRASSROOTS": "1"}, "随机种子是 0 至 999999 的整数。"),
        ({"seed": "1000000", "GRASSROOTS": "1"}, "随机种子是 0 至 999999 的整数。"),
        ({"seed": "1", "COUNTY": "5"}, "没有可以抽取的申报。"),
    ],
)
def test_nonsense_is_named(client, city, three, fields, message):
    client.force_login(city.lead)
    assert message in client.get(DRAW, fields).content.decode()
    client.post(DRAW, fields | {"digest": "x"})
    assert not Inspection.objects.exists()


# --- The visit ----------------------------------------------------------------------------------------


def test_named_by_hand_with_a_reason_and_once(client, city, reviewed):
    client.force_login(city.lead)
    add = reverse("assessments:inspection_add", args=[reviewed.pk])
    assert add in client.get(reviewed.get_absolute_url()).content.decode()
    assert "请填写原因。" in client.post(add, {"reason": " "}).content.decode()
    assert (
        "已列入现场核查。" in client.post(add, {"reason": "群众反映"}, follow=True).content.decode()
    )
    assert "已经列入现场核查。" in client.post(add, {"reason": "再来"}).content.decode()
    assert Inspection.objects.count() == 1


def test_inspectors_and_the_union_are_told(client, city, visit):
    text = Notification.objects.get(recipient=city.other_reviewer).text
    assert str(city.own) in text
    assert Notification.objects.filter(
        recipient=city.head, text__contains="到你会现场核查"
    ).exists()
    client.force_login(city.other_reviewer)
    assert "1 个工会等待您现场核查。" in client.get("/").content.decode()
    listed = client.get(reverse("assessments:inspection_list")).content.decode()
    assert str(city.own) in listed


def test_unannounced_the_union_is_told_nothing(client, city, reviewed):
    found = inspecting.add(reviewed, "群众反映", fresh(city.lead))
    inspecting.schedule(
        found, inspectors=[], planned_on=today(), announced=False, by=fresh(city.lead)
    )
    assert not Notification.objects.filter(recipient=city.head, text__contains="核查").exists()
    client.force_login(city.head)
    html = client.get(reviewed.get_absolute_url()).content.decode()
    assert "核查" not in html
    assert client.get(found.get_absolute_url()).status_code == 404


def test_an_inspector_with_a_conflict_is_refused_and_sees_nothing(client, city, visit):
    Recusal.objects.create(reviewer=city.other_reviewer, organization=city.own, reason="亲属")
    client.force_login(city.other_reviewer)
    assert client.get(visit.get_absolute_url()).status_code == 404
    with pytest.raises(inspecting.NotAllowed, match="须回避"):
        inspecting.schedule(
            visit,
            inspectors=[fresh(city.other_reviewer)],
            planned_on=today(),
            announced=True,
            by=fresh(city.lead),
        )
    with pytest.raises(inspecting.NotAllowed):
        write(visit, city.other_reviewer)


def test_written_on_a_phone_with_photos(client, city, visit):
    client.force_login(city.other_reviewer)
    response = client.post(
        page(visit),
        {
            "G1.01-verdict": "REFUTED",
            "G1.01-text": "没有会议纪要。",
            "G1.01-score": "1",
            "G1.01-photos": [
                SimpleUploadedFile("现场一.png", PNG),
                SimpleUploadedFile("现场二.png", PNG + b"2"),
            ],
        },
        follow=True,
    )
    assert "已保存。" in response.content.decode()
    finding = InspectionFinding.objects.get()
    assert (finding.verdict, finding.score, finding.saved_by) == ("REFUTED", 1, city.other_reviewer)
    photo = FindingPhoto.objects.first()
    address = reverse("assessments:inspection_photo", args=[photo.pk])
    assert address in response.content.decode()
    assert b"".join(client.get(address).streaming_content) == PNG
    assert client.get(f"{address}?small").status_code == 200
    for stranger in (city.head, city.reviewer, city.leader, city.county_head):
        client.force_login(stranger)
        assert client.get(address).status_code == 404
    assert not orphans.unused_files()
    client.force_login(city.other_reviewer)
    client.post(reverse("assessments:inspection_photo_remove", args=[photo.pk]))
    assert not StoredFile.objects.filter(pk=photo.stored_file_id).exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"G1.01-score": "99", "G1.01-text": "x"}, "3"),
        ({"G1.01-score": "0.3", "G1.01-text": "x"}, "0.5"),
        ({"G1.01-score": "1"}, "请写明核查情况"),
        ({"G1.01-text": "长" * 1001}, "最多 1000 字"),
        ({"G1.01-verdict": "MAYBE"}, "MAYBE"),
        ({"G1.03-checked": ["-", "印章"], "G1.03-text": "x"}, "就不能再选其他项"),
        ({"G1.03-checked": ["印章"]}, "请写明核查情况"),
    ],
)
def test_what_is_wrong_is_named_and_the_rest_is_stored(client, city, visit, fields, message):
    client.force_login(city.other_reviewer)
    response = client.post(page(visit), fields | {"G1.02-text": "台账齐全。"})
    assert response.status_code == 409
    assert message in response.content.decode()
    assert InspectionFinding.objects.get().indicator.code == "G1.02"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"G2.06-numerator": "80"}, "请填写核实的数字。"),
        ({"G2.06-denominator": "120"}, "请填写核实的数字。"),
        ({"G2.06-numerator": "121", "G2.06-denominator": "120"}, "不能大于"),
        ({"G2.06-numerator": "八十", "G2.06-denominator": "120"}, "请填写整数"),
    ],
)
def test_counts_are_whole_or_not_there(client, city, visit, fields, message):
    client.force_login(city.other_reviewer)
    response = client.post(page(visit, 2), fields | {"G2.06-text": "点了名册。"})
    html = response.content.decode()
    assert response.status_code == 409
    assert message in html
    assert "点了名册。" in html
    assert all(f'value="{typed}"' in html for typed in fields.values())
    assert not InspectionFinding.objects.exists()


def test_items_and_counts_as_they_were_found_count(client, city, visit, reviewed):
    client.force_login(city.other_reviewer)
    items = {"G1.03-verdict": "PARTLY", "G1.03-text": "没有活动场地。"}
    items["G1.03-checked"] = ["牌子", "印章", "人员"]
    assert "已保存。" in client.post(page(visit), items, follow=True).content.decode()
    counts = {"G2.06-verdict": "REFUTED", "G2.06-text": "名册只有60人。"}
    counts |= {"G2.06-numerator": "60", "G2.06-denominator": "120"}
    again = client.post(page(visit, 2), counts, follow=True).content.decode()
    assert 'value="60"' in again
    close(visit, city.other_reviewer)
    assert Notification.objects.filter(recipient=city.lead, text__contains="建议调整 2 项").exists()
    client.force_login(city.lead)
    html = client.get(visit.get_absolute_url()).content.decode()
    assert "（60 ÷ 120）" in html
    assert "（已有：牌子、印章、人员）" in html
    minutes = text_of(client.get(reverse("assessments:inspection_minutes", args=[visit.pk])))
    assert "（60÷120）" in minutes
    assert "已调整" not in html
    before = {one.code: one for one in verdict(reviewed).results[2]}["G2.06"]
    client.post(visit.get_absolute_url(), {"act": "apply"})
    found = verdict(reviewed)
    list_, rate = found.at(indicator("G1.03")), found.at(indicator("G2.06"))
    assert (list_.points, list_.met) == (list_.maximum / 2, False)
    assert (before.met, rate.met) == (True, False)
    assert rate.points == rate.maximum * 50 / 95
    assert not found.result.at_standard  # both are mandatory
    reviewed.refresh_from_db()
    assert reviewed.standing.outcome == "NOT_AT_STANDARD"
    perform(reviewed, Action.DECIDE, city.lead)
    scores = reviewed.decisions.get().scores.filter(indicator__code__in=["G1.03", "G2.06"])
    assert set(scores.values_list("remark", flat=True)) == {
        "现场核查部分属实：没有活动场地。",
        "现场核查不属实：名册只有60人。",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"score": 1, "text": ""},
        {"checked_items": [], "text": ""},
        {"numerator": 1, "denominator": 2, "text": ""},
        {"numerator": 3, "denominator": 2},
        {"score": -1},
    ],
)
def test_the_database_knows_no_proposal_without_its_reason(city, visit, fields):
    write(visit, city.lead)
    InspectionFinding.objects.update(score=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        InspectionFinding.objects.update(**fields)


def test_what_is_no_photo_is_refused_and_the_text_is_stored(client, city, visit):
    client.force_login(city.other_reviewer)
    response = client.post(
        page(visit),
        {"G1.01-text": "见照片。", "G1.01-photos": SimpleUploadedFile("文件.pdf", PDF)},
    )
    assert "不是照片" in response.content.decode()
    assert InspectionFinding.objects.get().text == "见照片。"
    assert not FindingPhoto.objects.exists()
    assert not StoredFile.objects.filter(evidence=None).exists()


def test_two_people_at_the_same_indicator(client, city, visit):
    write(visit, city.lead, text="组长先写的。")
    client.force_login(city.other_reviewer)
    response = client.post(page(visit), {"G1.01-text": "我写的。", "G1.01-seen": ""})
    html = response.content.decode()
    assert response.status_code == 409
    assert "组长先写的。" in html
    assert "我写的。" in html
    assert InspectionFinding.objects.get().text == "组长先写的。"
    row = next(one for one in response.context["rows"] if one["indicator"].code == "G1.01")
    client.post(page(visit), {"G1.01-text": "我写的。", "G1.01-seen": row["stamp"]})
    assert InspectionFinding.objects.get().text == "我写的。"


def test_closing_needs_a_finding_and_a_day_that_has_come(city, visit):
    with pytest.raises(inspecting.NotAllowed, match="还没有填写"):
        close(visit, city.other_reviewer)
    write(visit, city.other_reviewer)
    with pytest.raises(inspecting.NotAllowed, match="不能晚于今天"):
        inspecting.complete(
            visit,
            visited_on=today() + dt.timedelta(days=1),
            minutes="",
            statement="",
            by=fresh(city.other_reviewer),
        )
    done = close(visit, city.other_reviewer)
    assert done.state == InspectionState.DONE
    with pytest.raises(inspecting.NotAllowed, match="已办结，不能再改"):
        write(visit, city.other_reviewer, text="再改")
    assert Notification.objects.filter(recipient=city.lead, text__contains="建议调整 1 项").exists()


def test_cancelled_keeps_what_there_is_and_frees_the_union(city, visit, reviewed):
    write(visit, city.other_reviewer)
    inspecting.add_photo(visit, indicator(), SimpleUploadedFile("一.png", PNG), fresh(city.lead))
    inspecting.cancel(visit, "该工会已撤销", fresh(city.lead))
    assert FindingPhoto.objects.count() == InspectionFinding.objects.count() == 1
    assert default_storage.exists(StoredFile.objects.filter(evidence=None).get().file.name)
    inspecting.add(reviewed, "另行核查", fresh(city.lead))


# --- What comes of it ------------------------------------------------------------------------------------


def verdict(assessment):
    assessment = SelfAssessment.objects.with_context().get(pk=assessment.pk)
    lines = [line for part in worksheet.load(assessment) for line in part.lines]
    return verdicts.verdict_of(assessment, lines)


def total(assessment):
    return verdict(assessment).result.total


def test_the_lead_makes_the_scores_count(client, city, visit, reviewed):
    write(visit, city.other_reviewer)
    with pytest.raises(inspecting.NotAllowed, match="还没有办结"):
        inspecting.apply_scores(visit, fresh(city.lead))
    close(visit, city.other_reviewer)
    assert total(reviewed) == 100
    client.force_login(city.other_reviewer)
    assert client.post(visit.get_absolute_url(), {"act": "apply"}).status_code == 409
    client.force_login(city.lead)
    response = client.post(visit.get_absolute_url(), {"act": "apply"}, follow=True)
    assert "已按现场核查调整 1 项得分。" in response.content.decode()
    assert total(reviewed) == 98
    assert Adjustment.objects.get().reason == "现场核查不属实：没有会议纪要。"
    reviewed.refresh_from_db()
    assert reviewed.standing.total == 98
    assert client.post(visit.get_absolute_url(), {"act": "apply"}).status_code == 409
    assert list(audit.verify()) == []


def test_before_it_is_reviewed_the_scores_wait(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    found = inspecting.add(assessment, "群众反映", fresh(city.lead))
    write(found, city.lead)
    close(found, city.lead)
    with pytest.raises(inspecting.NotAllowed, match="评审完毕、作出评定之前"):
        inspecting.apply_scores(found, fresh(city.lead))
    assert inspecting.proposed(found).count() == 1


def test_handed_in_again_what_has_not_changed_still_counts(client, city, visit, reviewed):
    write(visit, city.other_reviewer)
    write(visit, city.other_reviewer, "G1.02", text="没有台账。")
    close(visit, city.other_reviewer)
    perform(reviewed, Action.REOPEN_REVIEW, city.lead, reason="复核")
    factories.send_back(reviewed, city.lead)
    factories.answer_remarks(reviewed, city.head)
    reviewed.answers.filter(indicator__code="G1.01").update(account="会议纪要已经补上。")
    perform(reviewed, Action.SUBMIT, city.head)
    perform(reviewed, Action.BEGIN_REVIEW, city.reviewer)
    demo.score_like_union(reviewed, city.reviewer)
    perform(reviewed, Action.COMPLETE_REVIEW, city.reviewer)
    client.force_login(city.lead)
    html = client.get(visit.get_absolute_url()).content.decode()
    assert "这次核查针对第 1 次提交" in html
    assert "G1.01 申报工会重新提交时改过" in html
    assert "有 1 项建议得分" in html
    response = client.post(visit.get_absolute_url(), {"act": "apply"}, follow=True)
    assert "已按现场核查调整 1 项得分。" in response.content.decode()
    assert Adjustment.objects.get().indicator.code == "G1.02"
    with pytest.raises(inspecting.NotAllowed, match="重新提交时改过"):
        inspecting.apply_scores(visit, fresh(city.lead))


def test_the_union_sees_nothing_of_it_before_the_decision(client, city, visit, reviewed):
    write(visit, city.other_reviewer, text="发现弄虚作假。")
    close(visit, city.other_reviewer)
    inspecting.apply_scores(visit, fresh(city.lead))
    for user in (city.head, city.township_head, city.county_head):
        client.force_login(user)
        html = client.get(reviewed.get_absolute_url()).content.decode()
        assert "弄虚作假" not in html
        assert "办结现场核查" not in html


def test_the_minutes_are_printed_blank_and_filled(client, city, visit):
    client.force_login(city.other_reviewer)
    address = reverse("assessments:inspection_minutes", args=[visit.pk])
    assert "没有会议纪要。" not in text_of(client.get(address))
    write(visit, city.other_reviewer)
    inspecting.add_photo(
        visit, indicator(), SimpleUploadedFile("一.png", PNG), fresh(city.other_reviewer)
    )
    close(visit, city.other_reviewer)
    text = text_of(client.get(address))
    assert "没有会议纪要。" in text
    assert "查阅了台账。" in text
    assert str(FindingVerdict.REFUTED.label) in text


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "DONE"},
        {"state": "SCHEDULED", "planned_on": None},
        {"state": "LOST"},
        {"reason": ""},
    ],
)
def test_the_database_knows_no_half_check(visit, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Inspection.objects.update(**fields)


def test_arranging_closing_and_cancelling_on_the_page(client, city, reviewed):
    found = inspecting.add(reviewed, "群众反映", fresh(city.lead))
    client.force_login(city.lead)
    address = found.get_absolute_url()
    html = client.post(address, {"act": "schedule"}).content.decode()
    assert "请至少选择一人。" in html
    assert "请选择日期。" in html
    good = {"inspectors": [city.other_reviewer.pk], "planned_on": today().isoformat()}
    assert (
        "已安排" in client.post(address, {"act": "schedule"} | good, follow=True).content.decode()
    )
    assert "请选择日期。" in client.post(address, {"act": "close"}).content.decode()
    close_now = {"act": "close", "visited_on": today().isoformat()}
    assert "还没有填写任何一项" in client.post(address, close_now).content.decode()
    assert "请填写原因。" in client.post(address, {"act": "cancel"}).content.decode()
    assert client.post(address, {"act": "nonsense"}).status_code == 404
    cancelled = client.post(address, {"act": "cancel", "cancel-reason": "撤销"}, follow=True)
    assert "已取消这次现场核查。" in cancelled.content.decode()
