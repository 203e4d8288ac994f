"""What a reviewer sees of a submission that was sent back and has come in again."""

import pytest
from django.urls import reverse

from assessments import answering, correcting, versions, worksheet
from assessments.choices import Action, State
from assessments.entries import Entry
from assessments.models import Indicator
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, perform

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent_back(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    factories.send_back(assessment, city.lead, ("G1.01", "G1.02"))
    client.force_login(city.reviewer)
    return assessment


def write(assessment, city, code, account):
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    line = next(line for line in lines if line.indicator.code == code)
    stored = versions.entry_of(line.answer)
    entry = Entry(stored.rating, dict(stored.texts) | {"account": account})
    change = answering.Change(line.indicator, entry, stored.fingerprint)
    assert answering.save(assessment, [change], User.objects.get(pk=city.head.pk)).stored == 1


def hand_in(assessment, city):
    factories.answer_remarks(assessment, city.head)
    perform(assessment, Action.SUBMIT, city.head)
    perform(assessment, Action.BEGIN_REVIEW, city.reviewer)


def rows(client, assessment, number=1):
    url = reverse("assessments:review_criterion", args=[assessment.reviews.get().pk, number])
    response = client.get(url)
    return response, {row.code: row for row in response.context["sheet"].rows}


def test_remark_answer_and_what_changed_stand_at_the_indicator(client, city, sent_back):
    write(sent_back, city, "G1.01", "党组织每季度听取工会汇报，附纪要。")
    hand_in(sent_back, city)
    response, found = rows(client, sent_back)
    html = response.content.decode()
    assert "退回时的修改要求" in html
    assert "请补充材料。" in html
    assert "已按要求修改。" in html
    (difference,) = found["G1.01"].correction.differences
    assert difference.label == "自评说明"
    assert "党组织每季度听取工会汇报，附纪要。" in "".join(
        piece.text for piece in difference.pieces if piece.kind != "removed"
    )
    assert "<del>" in html
    assert found["G1.02"].correction.differences == []
    assert "与退回时相比，内容和材料没有变化。" in html
    assert found["G1.03"].correction is None


def test_what_the_union_opened_itself_stands_there_with_its_reason(client, city, sent_back):
    other = Indicator.objects.get(code="G2.02")
    correcting.open_too(
        sent_back, other, "委员会换届，一并更新。", User.objects.get(pk=city.head.pk)
    )
    write(sent_back, city, "G2.02", "已于本月换届。")
    hand_in(sent_back, city)
    response, found = rows(client, sent_back, 2)
    assert "申报工会另行修改，理由" in response.content.decode()
    assert found["G2.02"].correction.remark.text == "委员会换届，一并更新。"
    assert found["G2.02"].correction.differences


def test_the_last_return_counts(client, city, sent_back):
    write(sent_back, city, "G1.01", "第一次修改。")
    hand_in(sent_back, city)
    factories.send_back(sent_back, city.lead, ("G1.02",))
    hand_in(sent_back, city)
    _, found = rows(client, sent_back)
    assert [code for code, row in found.items() if row.correction] == ["G1.02"]


def test_a_first_submission_has_none(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    client.force_login(city.reviewer)
    _, found = rows(client, assessment)
    assert not any(row.correction for row in found.values())
