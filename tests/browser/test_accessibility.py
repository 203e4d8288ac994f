"""WCAG 2.2 AA: axe finds nothing on any page, on a desk and on a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Page, expect

from assessments import (
    appeals,
    deadlines,
    deciding,
    evidence,
    extensions,
    inspecting,
    proxies,
    recognition,
    recommending,
    worksheet,
)
from assessments.choices import Action, AppealKind, RecheckOutcome, State
from assessments.models import Answer, Evidence, Indicator, SelfAssessment
from organizations.models import User
from tests import factories
from tests.browser.conftest import PHONE, Watch
from tests.browser.pages import indicator, press, see_heading, see_success
from tests.factories import City
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.browser

AXE = Path(settings.BASE_DIR, "node_modules", "axe-core", "axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    assert result["passes"]
    return [
        f"{page.url} {violation['id']}: {node['html'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def axe_on(
    visit: Callable[..., Page], by_user: dict[User | None, list[str]], **device: object
) -> list[str]:
    found = []
    for user, addresses in by_user.items():
        page = visit("/policy/", signed_in=user, **device)
        for address in addresses:
            page.goto(address)
            found += findings(page)
    return found


def axe_on_a_page_in_use(
    visit: Callable[..., Page], city: City, draft: SelfAssessment, **device: object
) -> list[str]:
    """A page that shows an error, a conflict, last year's answers and what is missing, all at
    once, without a reload."""
    old = factories.make_campaign(year=draft.campaign.year - 1)
    factories.perform(factories.make_self_assessment(city, old), Action.SUBMIT, city.head)
    page = visit(
        reverse("assessments:self_assessment_criterion", args=[draft.pk, 2]),
        signed_in=city.reporter,
        **device,
    )
    Answer.objects.create(
        self_assessment=draft,
        indicator=Indicator.objects.get(code="G2.01"),
        account="主席填的。",
        updated_by=city.head,
        updated_at=deadlines.now(),
    )
    indicator(page, "G2.01").get_by_label("自评说明").fill("填报员填的。")
    indicator(page, "G2.02").get_by_label("自评得分").fill("9")
    expect(indicator(page, "G2.01").locator(".conflict")).to_be_visible()
    expect(indicator(page, "G2.02").locator("[aria-invalid]")).to_be_visible()
    expect(indicator(page, "G2.01").locator(".previous")).to_be_visible()
    page.locator(".progress-now summary").click()
    found = findings(page)
    Answer.objects.filter(self_assessment=draft).delete()
    return found


def test_axe_finds_a_fault(visit: Callable[..., Page]):
    page = visit("/policy/")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any("image-alt" in finding for finding in findings(page))


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(
    visit: Callable[..., Page], watch: Watch, city: City, device: dict[str, object]
):
    watch.forgiven.append("404")  # the page for what is not found is looked at too
    campaign = factories.make_campaign(endorsement=True)
    draft = factories.make_self_assessment(city, campaign, filled=False)
    first = worksheet.load(draft, 1)[0].lines[0].indicator
    evidence.attach(draft, first, [SimpleUploadedFile("照片.png", PNG)], city.head)
    file = Evidence.objects.get(organization=city.own)
    returned = factories.make_self_assessment(
        city, campaign, State.RETURNED, organization=city.sibling, head=city.sibling_head
    )
    review = factories.make_self_assessment(
        city, campaign, State.UNDER_REVIEW, organization=city.foreign
    ).reviews.get()
    reviewed = factories.make_self_assessment(
        city, campaign, State.REVIEWED, organization=city.direct
    )
    factories.answer_remarks(returned, city.sibling_head)
    factories.perform(returned, Action.SUBMIT, city.sibling_head)
    factories.send_back(returned, city.lead)
    rows = SelfAssessment.objects.filter(pk=reviewed.pk)
    batch, _ = deciding.prepare(campaign, rows, "评定会", city.admin)
    deciding.propose_override(batch.lines.get(), "查实弄虚作假", city.lead)
    visit_on_site = inspecting.add(review.self_assessment, "群众反映", city.admin)
    inspecting.add_photo(
        visit_on_site, first, SimpleUploadedFile("现场.png", PNG + b"1"), city.admin
    )
    proxies.begin(campaign, city.own, "没有电脑", city.township_head)
    asked = extensions.ask(
        campaign,
        city.sibling,
        until=campaign.submission_deadline + dt.timedelta(days=1),
        reason="停电",
        by=city.sibling_head,
    )
    by_user = {
        None: [
            "/accounts/login/",
            "/policy/",
            "/help/",
            reverse("assessments:verify"),
            reverse("assessments:verify_code", args=[returned.revisions.latest("number").code]),
        ],
        city.head: [
            "/",
            draft.get_absolute_url(),
            *(f"{draft.get_absolute_url()}criteria/{number}/" for number in range(1, 7)),
            f"{draft.get_absolute_url()}indicators/G1.01/evidence/",
            f"{draft.get_absolute_url()}actions/submit/",
            reverse("assessments:extension_ask", args=[campaign.year, city.own.pk]),
            reverse("assessments:library"),
            *(
                reverse(f"assessments:evidence_{page}", args=[file.pk])
                for page in ("view", "edit", "use", "delete")
            ),
            "/accounts/password/",
            "/accounts/profile/",
            "/messages/",
            "/no/such/page/",
        ],
        city.sibling_head: [
            returned.get_absolute_url(),
            f"{returned.get_absolute_url()}criteria/1/",
            *(
                reverse(f"assessments:self_assessment_{page}", args=[returned.pk])
                for page in ("history", "compare", "replies")
            ),
            reverse("assessments:self_assessment_revision", args=[returned.pk, 1]),
        ],
        city.county_head: [
            reverse("assessments:oversight"),
            reverse("assessments:proxy_begin", args=[campaign.year, city.own.pk]),
        ],
        city.township_head: [
            "/",
            draft.get_absolute_url(),
            f"{draft.get_absolute_url()}actions/submit-on-paper/",
        ],
        city.foreign_head: [
            review.self_assessment.get_absolute_url(),
            reverse("assessments:sealed_scan", args=[review.self_assessment_id]),
        ],
        city.reviewer: [
            reverse("assessments:review_list"),
            review.get_absolute_url(),
            reverse("assessments:review_criterion", args=[review.pk, 1]),
            reverse("assessments:phrase_list"),
            reverse("assessments:review_recuse", args=[review.pk]),
            reverse("assessments:self_assessment_return", args=[review.self_assessment_id]),
        ],
        city.admin: [
            "/",
            reverse("organizations:inbox"),
            reverse("assessments:dashboard"),
            reverse("assessments:oversight"),
            reverse("assessments:assignment_list"),
            reverse("assessments:assignment_plan"),
            reverse("assessments:assignment_runs"),
            reverse("assessments:recusal_list"),
            reverse("assessments:discrepancy_list"),
            reverse("assessments:calibration"),
            reverse("assessments:review_replace", args=[review.pk]),
            reverse("assessments:decision_list"),
            reverse("assessments:decision_prepare"),
            reverse("assessments:inspection_list"),
            reverse("assessments:inspection_drawing") + "?GRASSROOTS=1&seed=1",
            reverse("assessments:inspection_add", args=[reviewed.pk]),
            visit_on_site.get_absolute_url(),
            reverse("assessments:inspection_criterion", args=[visit_on_site.pk, 1]),
            batch.get_absolute_url(),
            f"{batch.lines.get().get_absolute_url()}?correct-indicator=G1.03",
            reverse("assessments:summary"),
            reverse("assessments:extension_list"),
            reverse("assessments:extension_answer", args=[asked.pk]),
            reviewed.get_absolute_url(),
            f"{reviewed.get_absolute_url()}actions/decide/",
        ],
    }
    found = axe_on_a_page_in_use(visit, city, draft, **device)
    assert found + axe_on(visit, by_user, **device) == []


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_the_vote_of_the_members(
    visit: Callable[..., Page], city: City, device: dict[str, object]
):
    """民主测评 from its opening to its result, as the union and as a member sees it; and what else a
    union meets: its guide, a PDF, handing in and taking back."""
    draft = factories.make_self_assessment(city, factories.make_campaign())
    line = worksheet.load(draft, 1)[0].lines[0]
    evidence.attach(draft, line.indicator, [SimpleUploadedFile("会议.pdf", PDF)], city.head)
    file = Evidence.objects.get(organization=city.own, name="会议.pdf")
    page = visit("/", signed_in=city.head, **device)
    expect(page.get_by_text("三步就好")).to_be_visible()
    found = findings(page)
    page.goto(reverse("assessments:evidence_view", args=[file.pk]))
    found += findings(page)

    address = reverse("assessments:survey", args=[draft.pk, "G6.05"])
    page.goto(address)
    press(page, "开始测评")  # with what it takes not filled in
    found += findings(page)
    page.get_by_label("应参加人数").fill("6")
    press(page, "开始测评")
    see_success(page, "民主测评已经开始。")
    found += findings(page)
    press(page, "打印投票码")
    see_heading(page, "投票码（6 张）")
    found += findings(page)
    codes = page.locator(".code-slips code").all_inner_texts()
    survey = draft.surveys.get()
    ballot = reverse("assessments:survey_ballot", args=[survey.token])
    member = visit(ballot, **device)
    found += findings(member)
    press(member, "提交")
    expect(member.get_by_text("请选择一项。")).to_be_visible()
    found += findings(member)
    for code in codes:
        member.goto(ballot)
        member.get_by_label("投票码").fill(code.lower())
        member.get_by_label("满意", exact=True).check()
        press(member, "提交")
        see_success(member, "投票成功，谢谢您！")
    found += findings(member)
    page.goto(address)
    press(page, "提前结束")
    see_success(page, "民主测评已结束。")
    expect(page.locator("main")).to_contain_text("参与率 100%；满意票 6，有效测评票 6")
    found += findings(page)
    press(page, "把结果填入自评")
    see_success(page, "测评结果已填入自评。")
    member.goto(ballot)
    found += findings(member)

    factories.perform(draft, Action.SUBMIT, city.head)
    page.goto(f"{draft.get_absolute_url()}actions/withdraw/")
    found += findings(page)
    assert found == []


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_after_the_decision(
    visit: Callable[..., Page], city: City, device: dict[str, object]
):
    campaign = factories.make_campaign(publishes_points=True)
    make = factories.make_self_assessment
    recommended = factories.make_recommendation(
        make(city, campaign, State.FINAL, organization=city.sibling, head=city.sibling_head),
        city.admin,
        city.lead,
    )
    title = recommended.self_assessment.decisions.get().recognition
    recognition.recheck(title, RecheckOutcome.REVOKE, "发生重大事故", city.lead, "None")
    make(city, campaign, State.FINAL, organization=city.direct)
    # After those that are final: their publicity is over.
    published = make(city, campaign, State.PUBLISHED)
    make(city, campaign, State.DECIDED, organization=city.foreign)
    result = published.published_results.get()
    appeal = appeals.file(result, AppealKind.OBJECTION, {"text": "不符。"}, None, None)
    year = [campaign.year]
    lists = (
        "publicity_list",
        "appeal_list",
        "recognition_list",
        "goal_list",
        "recommendation_list",
    )
    of_year = ("publicity_publish", "recognition_award", "recommendation_draw")
    by_user = {
        None: [
            reverse("assessments:results"),
            reverse("assessments:result_object", args=[result.pk]),
            reverse("assessments:appeal_look_up"),
            reverse("assessments:certificate_look_up"),
            reverse("assessments:honours"),
        ],
        city.head: [reverse("assessments:union_appeal", args=[published.pk])],
        city.sibling_head: [title.get_absolute_url(), recommended.get_absolute_url()],
        city.admin: [
            *(reverse(f"assessments:{name}") for name in lists),
            *(reverse(f"assessments:{name}", args=year) for name in of_year),
            result.period.get_absolute_url(),
            appeal.get_absolute_url(),
            title.get_absolute_url(),
        ],
    }
    recommendation = [
        reverse("assessments:recommendation_confirm", args=year),
        recommended.get_absolute_url(),
    ]
    found = axe_on(visit, by_user | {city.lead: recommendation}, **device)
    made = recommended.list
    recommending.reopen(made, "更正", city.lead, str(made.version))
    assert found + axe_on(visit, {city.lead: recommendation}, **device) == []
