"""Endorsed, shared out, scored blind by two, settled, sent back, corrected, decided, and told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import demo
from assessments.choices import State
from assessments.models import Decision, Review, ReviewScore, SelfAssessment
from organizations.models import User
from tests import factories
from tests.browser.pages import (
    PASSWORD,
    follow,
    indicator,
    menu,
    press,
    see_heading,
    see_success,
    sign_in,
)
from tests.browser.test_accessibility import findings
from tests.factories import City

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
#: Judged, in the fourth criterion.
CODE = "G4.01"
AGREED = "材料齐全，活动扎实。"


@pytest.fixture
def handed_in(city: City) -> SelfAssessment:
    campaign = factories.make_campaign(endorsement=True)
    campaign.policies.update(reviewers=2)
    return factories.make_self_assessment(city, campaign, State.SUBMITTED)


def endorse(page: Page, city: City) -> None:
    follow(page, "去初审")
    follow(page, city.own.name)
    follow(page, "初审推荐")
    page.get_by_label("推荐意见").fill("材料属实，同意推荐。")
    press(page, "确认初审推荐")
    see_success(page, "已初审推荐。")


def share_out(page: Page, city: City) -> None:
    """Automatically, between the two, from a seed."""
    menu(page, "分派")
    follow(page, re.compile("^自动分派（"))
    page.get_by_label(city.lead.full_name).uncheck()
    page.get_by_label("随机种子").fill("2026")
    press(page, "按这些条件预览")
    expect(page.get_by_role("heading", name="预览（种子 2026）")).to_be_visible()
    press(page, "照此分派（2 份次）")
    see_success(page, "已分派 2 份次。")
    press(page, "重新计算")
    expect(page.locator("main")).to_contain_text("与当时的分派完全一致")


def score(
    page: Page, assessment: SelfAssessment, user: User, points: str, remark: str, *, unseen: str
) -> None:
    """All as the union has it – which goes through the rules, not through forty pages – but for one
    indicator, by hand."""
    demo.score_like_union(assessment, user)
    review = Review.objects.get(self_assessment=assessment, reviewer=user)
    page.goto(reverse("assessments:review_criterion", args=[review.pk, 4]))
    article = indicator(page, CODE)
    article.get_by_label("评审得分").fill(points)
    article.get_by_label("评审意见").fill(remark)
    press(page, "保存")
    see_success(page, "评分已保存。")
    expect(page.locator("main")).not_to_contain_text(unseen)
    page.goto(review.get_absolute_url())
    follow(page, "完成评审")
    press(page, "确认完成评审")
    see_success(page, "评审已完成。")


def arbitrate(page: Page, city: City, remark: str) -> None:
    menu(page, "工作台")
    follow(page, "去仲裁")
    follow(page, "仲裁第四好")
    article = indicator(page, CODE)
    expect(article).to_contain_text(remark)
    expect(article).to_contain_text(city.reviewer.full_name)
    press(page, "确认仲裁")
    expect(page.locator("main")).to_contain_text("请写明仲裁理由。")
    assert findings(page) == []
    article.get_by_label("仲裁", exact=True).select_option(label="另定得分")
    article.get_by_label("另定得分").fill("1.5")
    page.get_by_label("仲裁理由").fill("已核实：有计划，无总结。")
    press(page, "确认仲裁")
    see_success(page, "已仲裁")
    expect(page.locator("main")).to_contain_text("没有等待仲裁的分差。")


def send_back(page: Page, assessment: SelfAssessment) -> None:
    page.goto(assessment.get_absolute_url())
    follow(page, "退回评审员")
    page.get_by_label("退回评审员的理由").fill("请核对总结材料。")
    press(page, "确认退回评审员")
    page.goto(assessment.get_absolute_url())
    follow(page, "退回修改")
    indicator(page, CODE).get_by_label("修改要求").fill("请补充活动总结。")
    press(page, "确认退回修改")
    see_success(page, "已退回")


def correct(page: Page, assessment: SelfAssessment) -> None:
    page.goto(reverse("assessments:self_assessment_criterion", args=[assessment.pk, 4]))
    indicator(page, CODE).get_by_label("自评说明").fill("已补充2026年活动总结。")
    press(page, "保存")
    see_success(page, "已保存")
    page.goto(reverse("assessments:self_assessment_replies", args=[assessment.pk]))
    page.get_by_label("答复：改了什么，或为什么不改").fill("总结已补充。")
    press(page, "保存答复")
    page.goto(reverse("assessments:self_assessment_act", args=[assessment.pk, "submit"]))
    page.get_by_label("本工会对申报内容和佐证材料的真实性负责").check()
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "确认签批提交")
    see_success(page, "已签批提交")


def score_again(page: Page, assessment: SelfAssessment, user: User) -> None:
    """Just what has changed, with the answer and the change before one's eyes."""
    review = Review.objects.get(self_assessment=assessment, reviewer=user)
    assessment.refresh_from_db()
    if assessment.state == State.SUBMITTED:
        page.goto(review.get_absolute_url())
        follow(page, "受理评审")
        press(page, "确认受理评审")
    page.goto(reverse("assessments:review_criterion", args=[review.pk, 4]))
    article = indicator(page, CODE)
    expect(article).to_contain_text("请补充活动总结。")
    expect(article).to_contain_text("总结已补充。")
    expect(article.locator("ins").first).to_contain_text("已补充")
    article.get_by_label("评审得分").fill("3")
    press(page, "保存")
    see_success(page, "评分已保存。")
    page.goto(review.get_absolute_url())
    follow(page, "完成评审")
    press(page, "确认完成评审")
    see_success(page, "评审已完成。")


def decide(page: Page, city: City) -> None:
    menu(page, "评定")
    press(page, "拟定名单")
    press(page, "拟定")
    see_heading(page, "第1次评定会")
    page.get_by_label("您的登录密码").fill(PASSWORD)
    press(page, "一并作出 1 份评定")
    see_success(page, "已作出 1 份评定。")


def test_two_reviewers_from_endorsement_to_the_letter(
    visit: Visit, city: City, handed_in: SelfAssessment
):
    township, lead, first, second, head = (visit() for _ in range(5))
    sign_in(township, city.township_head)
    endorse(township, city)
    sign_in(lead, city.lead)
    share_out(lead, city)
    sign_in(first, city.reviewer)
    factories.perform(handed_in, "BEGIN_REVIEW", city.reviewer)
    sign_in(second, city.other_reviewer)
    remark = "只有计划，没有活动总结，不能认定。"
    score(first, handed_in, city.reviewer, "3", AGREED, unseen=remark)
    ReviewScore.objects.filter(
        review__reviewer=city.other_reviewer, indicator__criterion__number=4
    ).update(score=0, remark="没有材料。")
    score(second, handed_in, city.other_reviewer, "0", remark, unseen=AGREED)
    arbitrate(lead, city, remark)
    send_back(lead, handed_in)
    sign_in(head, city.head)
    correct(head, handed_in)
    score_again(first, handed_in, city.reviewer)
    score_again(second, handed_in, city.other_reviewer)
    decide(lead, city)
    decision = Decision.objects.get()
    assert decision.revision == 2
    head.goto(handed_in.get_absolute_url())
    link = head.get_by_role("link", name="评定结果通知书（PDF）")
    expect(link).to_be_visible()
    letter = head.request.get(decision.get_absolute_url(), timeout=60_000)  # drawn just now
    assert letter.body().startswith(b"%PDF")
