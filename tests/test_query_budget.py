"""The budget of design.md, section 6: at most 12 queries on any page, whatever the size."""

import gzip

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assessments import (
    appeals,
    assigning,
    cases,
    deciding,
    demo,
    inspecting,
    lots,
    phrases,
    rollups,
    rubric_editing,
    setting_up,
    standings,
)
from assessments.choices import Action, AppealKind, CaseState, State
from assessments.drawing import Quota
from assessments.models import (
    Answer,
    Attachment,
    Evidence,
    Indicator,
    Inspection,
    ReviewScore,
    Rubric,
    SelfAssessment,
    Similarity,
    Standing,
    StoredFile,
    Trace,
)
from assessments.supervision import rectifying
from organizations import accounts, tree
from organizations.choices import Role, Tier
from organizations.importing import previews
from organizations.models import Membership, Notification, Organization
from tests import factories
from tests.factories import make_self_assessment
from tests.uploads import PNG, picture

pytestmark = pytest.mark.django_db
BUDGET = 12


def populate(city, campaign, count):
    """`count` grassroots unions in both counties, each handed in and given to the reviewer."""
    tree.plant_all(
        Organization(
            code=f"Q{n:05}",
            name=f"示例第{n}工会委员会",
            tier=Tier.GRASSROOTS,
            parent=city.township if n % 2 else city.other_township,
        )
        for n in range(count)
    )
    template = make_self_assessment(city, campaign, State.SUBMITTED)
    assigning.assign(template, city.reviewer, city.lead)
    unions = Organization.objects.filter(code__startswith="Q")
    SelfAssessment.objects.bulk_create(
        SelfAssessment(
            campaign=campaign,
            organization=union,
            rubric=template.rubric,
            place=union.path,
            state=(State.SUBMITTED, State.REVIEWED)[n % 2],
            revision=1,
            submitted_at=template.submitted_at,
            self_total=90,
        )
        for n, union in enumerate(unions)
    )
    reviews = template.reviews.model.objects
    reviews.bulk_create(
        reviews.model(
            self_assessment=assessment,
            reviewer=city.reviewer,
            revision=1,
            assigned_by=city.lead,
        )
        for assessment in SelfAssessment.objects.exclude(pk=template.pk)
    )
    standings.rebuild(campaign)
    rollups.rebuild(campaign)
    return template


def count(client, user, url):
    client.force_login(user)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
    assert response.status_code == 200, url
    return len(queries)


@pytest.fixture(params=[10, 1000])
def size(request):
    return request.param


LISTS = [
    ("leader", "dashboard"),
    ("county_head", "dashboard"),
    ("leader", "oversight"),
    ("county_head", "oversight"),
    ("reviewer", "review_list"),
    ("lead", "assignment_list"),
    ("lead", "assignment_plan"),
    ("lead", "assignment_runs"),
    ("lead", "recusal_list"),
    ("lead", "discrepancy_list"),
    ("lead", "calibration"),
    ("reviewer", "calibration"),
    ("lead", "inspection_list"),
    ("admin", "plan_list"),
    ("leader", "case_gallery"),
    ("admin", "case_list"),
    ("head", "case_list"),
    ("county_head", "plan_list"),
    ("admin", "plan_urge"),
    ("admin", "campaign_list"),
    ("admin", "calendar"),
    ("head", "calendar"),
    ("county_head", "calendar"),
    ("reviewer", "inspection_list"),
    ("lead", "decision_list"),
    ("lead", "decision_prepare"),
    ("admin", "publicity_list"),
    ("lead", "appeal_list"),
    ("admin", "results"),
    ("admin", "honours"),
    ("admin", "recognition_list"),
    ("lead", "recommendation_list"),
    ("lead", "goal_list"),
    ("admin", "summary"),
    ("lead", "export_list"),
    ("lead", "export_new"),
    ("lead", "archive"),
    ("lead", "workbench"),
    ("admin", "supervision_list"),
    ("head", "supervision_findings"),
    ("leader", "progress_report"),
    ("county_head", "workbench"),
    ("reviewer", "workbench"),
    ("reporter", "workbench"),
]


def test_lists_and_workbench(client, city, campaign, size):
    populate(city, campaign, size)
    for user, name in LISTS:
        url = reverse(f"assessments:{name}")
        assert count(client, getattr(city, user), url) <= BUDGET, (user, name)


def test_the_desk_of_a_superior(client, city, size):
    campaign = factories.make_campaign(endorsement=True)
    template = populate(city, campaign, size)
    SelfAssessment.objects.filter(pk=template.pk).update(state=State.SUBMITTED)
    chosen = SelfAssessment.objects.filter(organization__parent=city.township, state="SUBMITTED")
    query = "&".join(f"chosen={pk}" for pk in chosen.values_list("pk", flat=True)[:100])
    for user, url in [
        ("township_head", "/oversight/?sort=-score&size=100&lag=behind"),
        ("lead", f"/oversight/?county={city.county.code}&township={city.township.code}&q=示例"),
        ("township_head", "/oversight/urge/"),
        ("admin", "/oversight/urge/?lag=overdue"),
        ("township_head", f"/oversight/endorse/?{query}"),
        ("township_head", f"/oversight/{city.township.pk}/ranks/"),
        ("township_head", f"/assessments/{template.pk}/actions/endorse/"),
        ("township_head", f"/assessments/{template.pk}/actions/endorse/criteria/2/"),
        ("township_head", f"{template.get_absolute_url()}?back=state%3DTO_ENDORSE"),
    ]:
        assert count(client, getattr(city, user), url) <= BUDGET, (user, url)


def test_lists_cost_the_same_at_any_size(client, city, campaign):
    populate(city, campaign, 10)
    count(
        client, city.leader, reverse("assessments:dashboard")
    )  # reads the clauses, once a process
    few = [count(client, getattr(city, user), reverse(f"assessments:{n}")) for user, n in LISTS]
    tree.plant_all(
        Organization(code=f"R{n:05}", name=f"示例{n}", tier="GRASSROOTS", parent=city.township)
        for n in range(300)
    )
    rollups.rebuild(campaign)
    many = [count(client, getattr(city, user), reverse(f"assessments:{n}")) for user, n in LISTS]
    assert few == many


def test_titles_and_their_papers(client, city, campaign):
    final = make_self_assessment(city, campaign, State.FINAL)
    other = make_self_assessment(city, campaign, State.FINAL, organization=city.foreign)
    make_self_assessment(city, campaign, State.FINAL, organization=city.sibling)
    title = factories.make_recognition(final, city.admin)
    factories.make_recognition(other, city.admin)
    for user, name, argument in [
        ("admin", "recognition_award", campaign.year),
        ("admin", "certificates", campaign.year),
        ("admin", "certified_letters", campaign.year),
        ("admin", "recognition_papers", campaign.year),
        ("lead", "recognition", title.pk),
        ("head", "certificate", title.pk),
    ]:
        url = reverse(f"assessments:{name}", args=[argument])
        assert count(client, getattr(city, user), url) <= BUDGET, name
    few = count(client, city.head, reverse("assessments:honours"))
    third = make_self_assessment(city, campaign, State.FINAL, organization=city.direct)
    factories.make_recognition(third, city.admin)
    assert count(client, city.head, reverse("assessments:honours")) == few


def test_the_workbench_of_a_head_who_fills_in(client, city, campaign):
    make_self_assessment(city, campaign)
    assert count(client, city.head, reverse("assessments:workbench")) <= BUDGET


def test_the_recommendation_to_the_province(client, city, campaign):
    line = factories.make_recommendation(
        make_self_assessment(city, campaign, State.FINAL), city.admin, city.lead
    )
    of_year = [
        reverse(f"assessments:recommendation_{page}", args=[campaign.year])
        for page in ("draw", "confirm", "summary", "forms")
    ]
    form = reverse("assessments:recommendation_form", args=[line.pk])
    pages = [
        *(("lead", url) for url in (*of_year, line.get_absolute_url())),
        *(
            ("head", url)
            for url in (line.get_absolute_url(), form, reverse("assessments:workbench"))
        ),
        ("lead", reverse("assessments:recommendation_list")),
        ("lead", reverse("assessments:goal_list")),
    ]
    few = [count(client, getattr(city, user), url) for user, url in pages]
    assert max(few) <= BUDGET, few
    other = make_self_assessment(city, campaign, State.FINAL, organization=city.foreign)
    factories.make_recommendation(other, city.admin, city.lead)
    assert [count(client, getattr(city, user), url) for user, url in pages] == few


def test_the_rubrics(client, city, campaign):
    first = Rubric.objects.get(tier=Tier.GRASSROOTS, version=1)
    drafts = [rubric_editing.copy(first, "修订稿", city.admin) for _ in range(3)]
    pages = [reverse(f"assessments:rubric_{page}") for page in ("list", "import")]
    pages += [
        reverse(f"assessments:rubric{page}", args=[drafts[-1].pk])
        for page in ("", "_compare", "_copy", "_remove", "_json", "_workbook")
    ]
    pages.append(reverse("assessments:rubric_criterion", args=[drafts[-1].pk, 2]))
    few = {url: count(client, city.admin, url) for url in pages}
    assert max(few.values()) <= BUDGET, few


def test_plans(client, city, campaign):
    plan = factories.make_plan(campaign, city.own, city.head, "RETURNED")
    draft = reverse("assessments:plan_edit", args=[campaign.year, city.own.pk])
    urls = [plan.get_absolute_url(), f"{plan.get_absolute_url()}receipt.pdf"]
    for user, url in [("head", draft), *((who, url) for who in ("head", "lead") for url in urls)]:
        assert count(client, getattr(city, user), url) <= BUDGET, (user, url)


def test_cases(client, city, campaign):
    drafts = [factories.make_case(city, title=f"做法{n}") for n in range(14)]
    for number, case in enumerate(drafts):
        for shade in range(2):
            content = picture(color=(number * 18, shade * 99, 0))
            cases.add_photo(case, SimpleUploadedFile("照片.png", content), city.head)
        factories.lead_case(case, city, CaseState.PUBLISHED)
    case = factories.make_case(city)
    for user, name, arguments in [
        ("head", "case_gallery", []),
        ("admin", "case_list", []),
        ("head", "case", [drafts[0].pk]),
        ("admin", "case_record", [drafts[0].pk]),
        ("admin", "case_edit", [drafts[0].pk]),
        ("head", "case_edit", [case.pk]),
        ("head", "case_add", [city.own.pk]),
        ("head", "case_photo", [drafts[0].photos.first().pk]),
        ("head", "case_thumbnail", [drafts[0].photos.first().pk]),
    ]:
        url = reverse(f"assessments:{name}", args=arguments)
        assert count(client, getattr(city, user), url) <= BUDGET, name


def test_setting_a_campaign_up(client, city, campaign):
    following = setting_up.create(campaign.year + 1, "下一年", campaign, city.admin)
    pages = [
        (name, following.year)
        for name in ("campaign", "campaign_days", "campaign_rubrics", "campaign_rules")
    ]
    pages += [("campaign", campaign.year), ("campaign_close", campaign.year)]
    pages += [("campaign_extend", campaign.year), ("campaign_open", following.year)]
    for name, year in pages:
        url = reverse(f"assessments:{name}", args=[year])
        assert count(client, city.admin, url) <= BUDGET, (name, year)


def test_the_calendar_of_several_campaigns(client, city, campaign):
    calendar, year = reverse("assessments:calendar"), campaign.year
    users = (city.head, city.admin, city.county_head)
    few = [count(client, user, calendar) for user in users]
    for more in (1, 2):
        other = factories.make_campaign(year=year + more)
        make_self_assessment(city, other, State.PUBLISHED)
    round_ = factories.make_round(city.admin, campaign, city.own, members=[city.reviewer])
    for _ in range(3):
        factories.make_finding(round_.visits.get(), city.reviewer)
    factories.feed_back(round_.visits.get(), city.reviewer)
    many = [count(client, user, calendar) for user in users]
    assert max(many) <= BUDGET, many
    assert [more - less for less, more in zip(few, many, strict=True)] == [2, 2, 2]


def test_publicity(client, city):
    campaign = factories.make_campaign(publishes_points=True)
    shown = make_self_assessment(city, campaign, State.PUBLISHED)
    make_self_assessment(city, campaign, State.DECIDED, organization=city.foreign)
    result = shown.published_results.get()
    appeal = appeals.file(result, AppealKind.OBJECTION, {"text": "不符。"}, None, None)
    pages = [
        ("admin", reverse("assessments:publicity_publish", args=[campaign.year])),
        ("admin", result.period.get_absolute_url()),
        ("lead", appeal.get_absolute_url()),
        ("head", reverse("assessments:union_appeal", args=[shown.pk])),
        ("head", reverse("assessments:result_object", args=[result.pk])),
        ("lead", "/results/?outcome=AT_STANDARD&q=示例"),
        ("lead", "/publicity/appeals/?state=REGISTERED&sort=-filed"),
        ("admin", "/publicity/"),
    ]
    few = [count(client, getattr(city, user), url) for user, url in pages]
    assert max(few) <= BUDGET, few
    for union in (city.sibling, city.direct):
        one = make_self_assessment(city, campaign, State.PUBLISHED, organization=union)
        listed = one.published_results.get()
        appeals.file(listed, AppealKind.OBJECTION, {"text": "不符。"}, None, None)
    assert [count(client, getattr(city, user), url) for user, url in pages] == few


def test_notices(client, city, campaign, size):
    populate(city, campaign, size)
    draft = factories.make_notice(city.admin, published=False, tiers=["GRASSROOTS", "TOWNSHIP"])
    notice = factories.make_notice(city.admin, tiers=["GRASSROOTS", "TOWNSHIP"])
    for user, name, arguments in [
        ("head", "notice_list", []),
        ("admin", "notice_list", []),
        ("head", "notice", [notice.pk]),
        ("admin", "notice_add", []),
        ("admin", "notice_edit", [draft.pk]),
        ("admin", "notice_publish", [draft.pk]),
        ("admin", "notice_receipts", [notice.pk]),
    ]:
        url = reverse(f"assessments:{name}", args=arguments)
        assert count(client, getattr(city, user), url) <= BUDGET, name


PAGES = {
    State.DRAFT: ["detail", "criterion", "submit"],
    State.SUBMITTED: ["detail", "criterion", "withdraw", "endorse", "return"],
    State.ENDORSED: ["detail", "criterion", "begin-review", "return"],
    State.UNDER_REVIEW: ["detail", "criterion", "return", "complete-review"],
    State.RETURNED: ["detail", "criterion", "submit"],
    State.REVIEWED: ["detail", "criterion", "decide", "reopen-review"],
    State.DECIDED: ["detail", "criterion", "publish", "reopen-decision"],
    State.PUBLISHED: ["detail", "criterion", "finalise", "accept-appeal", "withdraw-publication"],
    State.FINAL: ["detail", "criterion"],
}


def address(assessment, page):
    if page == "detail":
        return assessment.get_absolute_url()
    if page == "criterion":
        return reverse("assessments:self_assessment_criterion", args=[assessment.pk, 3])
    if page == "return":
        return reverse("assessments:self_assessment_return", args=[assessment.pk])
    return reverse("assessments:self_assessment_act", args=[assessment.pk, page])


@pytest.mark.parametrize("state", PAGES)
def test_pages_of_a_self_assessment_for_everybody_who_may_see_them(client, city, state):
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, campaign, state)
    over = {}
    seen = set()
    for page in PAGES[state]:
        for name, user in city.users().items():
            client.force_login(user)
            url = address(assessment, page)
            with CaptureQueriesContext(connection) as queries:
                status = client.get(url).status_code
            assert status in (200, 404)
            if status == 200:
                seen.add(page)
                if len(queries) > BUDGET:
                    over[page, name] = len(queries)
    assert over == {}
    assert seen == set(PAGES[state])


def test_pages_with_two_hundred_files(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    answer = Answer.objects.get(self_assessment=assessment, indicator__code="G1.01")
    stored = StoredFile.objects.bulk_create(
        StoredFile(sha256=f"{n:064}", size=1, media_type="image/png", file=f"evidence/{n}")
        for n in range(200)
    )
    files = Evidence.objects.bulk_create(
        Evidence(organization=city.own, stored_file=one, name=f"{n}.png", uploaded_by=city.reporter)
        for n, one in enumerate(stored)
    )
    Attachment.objects.bulk_create(
        Attachment(answer=answer, evidence=one, position=n) for n, one in enumerate(files)
    )
    indicator = reverse("assessments:indicator_evidence", args=[assessment.pk, "G1.01"])
    other = reverse("assessments:indicator_evidence", args=[assessment.pk, "G1.02"])
    criterion = reverse("assessments:self_assessment_criterion", args=[assessment.pk, 1])
    file = [files[0].pk]
    for url in (
        criterion,
        indicator,
        f"{indicator}?list",
        other,
        reverse("assessments:library"),
        reverse("assessments:library") + "?use=none&q=1&kind=image&page=2",
        *(
            reverse(f"assessments:evidence_{page}", args=file)
            for page in ("view", "edit", "use", "delete")
        ),
    ):
        assert count(client, city.reporter, url) <= BUDGET, url


def test_pages_of_a_review(client, city, campaign):
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    review = assessment.reviews.get()
    page = reverse("assessments:review_criterion", args=[review.pk, 3])
    assert count(client, city.reviewer, review.get_absolute_url()) <= BUDGET
    # One is left free: for what was wanting, once it has been handed in again.
    assert count(client, city.reviewer, page) <= BUDGET - 1
    factories.send_back(assessment, city.lead, ("G3.01", "G3.02"))
    factories.answer_remarks(assessment, city.head)
    factories.perform(assessment, Action.SUBMIT, city.head)
    factories.perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    assert count(client, city.reviewer, page) <= BUDGET
    aside = reverse("assessments:review_aside", args=[review.pk, 3])
    phrases.StockPhrase.objects.bulk_create(
        phrases.StockPhrase(text=f"{n}", created_by=city.lead) for n in range(50)
    )
    assert count(client, city.reviewer, aside) <= BUDGET
    assert count(client, city.reviewer, reverse("assessments:phrase_list")) <= BUDGET
    demo.score_like_union(assessment, city.reviewer)
    factories.perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    factories.perform(assessment, Action.DECIDE, city.lead)
    assert count(client, city.reviewer, page) <= BUDGET


def test_the_page_of_an_arbitration(client, city, campaign):
    campaign.policies.update(reviewers=2)
    both = [city.reviewer, city.other_reviewer]
    apart = make_self_assessment(city, campaign, State.UNDER_REVIEW, reviewers=both)
    for reviewer in both:
        demo.score_like_union(apart, reviewer)
    ReviewScore.objects.filter(review__reviewer=both[1], score__isnull=False).update(
        score=0, remark="没有材料。"
    )
    for reviewer in both:
        factories.perform(apart, Action.COMPLETE_REVIEW, reviewer)
    for number in apart.discrepant:
        page = reverse("assessments:arbitrate", args=[apart.pk, number])
        assert count(client, city.lead, page) <= BUDGET, number


@pytest.mark.parametrize("others", [3, 150])
def test_pages_of_what_is_alike(client, city, campaign, others):
    """A submission with files, pictures and accounts that many others have handed in too."""
    populate(city, campaign, others)
    mine = make_self_assessment(
        city, campaign, State.UNDER_REVIEW, organization=city.sibling, reviewers=[city.reviewer]
    )
    review = mine.reviews.get()
    file = Evidence.objects.filter(organization=city.sibling).first()
    unions = SelfAssessment.objects.exclude(pk=mine.pk).select_related("organization")
    for evidence, fields in (
        (None, {"code": "G1.01", "wording": "同"}),
        (file, {"look": "0"}),
    ):
        own = Trace.objects.create(
            self_assessment=mine,
            evidence=evidence,
            codes=["G1.01"],
            revision=1,
            exact="0",
            **fields,
        )
        copies = Trace.objects.bulk_create(
            Trace(
                self_assessment=one,
                evidence=evidence
                and Evidence.objects.create(
                    organization=one.organization,
                    stored_file_id=file.stored_file_id,
                    name="共用.pdf",
                    uploaded_by=city.head,
                ),
                codes=["G1.01"],
                revision=1,
                exact="0",
                **fields,
            )
            for one in unions
        )
        Similarity.objects.bulk_create(
            Similarity(
                campaign=campaign,
                kind="IMAGE" if evidence else "TEXT",
                left=own,
                right=copy,
                left_assessment=mine,
                right_assessment=copy.self_assessment,
                degree=95,
            )
            for copy in copies
        )
    text, picture = (Similarity.objects.filter(kind=kind).first() for kind in ("TEXT", "IMAGE"))
    for user, urls in {
        city.reviewer: [
            reverse("assessments:review_similar", args=[review.pk]),
            reverse("assessments:review_criterion", args=[review.pk, 1]),
            review.get_absolute_url(),
            text.get_absolute_url(),
            picture.get_absolute_url(),
            reverse("assessments:evidence_view", args=[picture.right.evidence_id]),
        ],
        city.lead: [
            reverse("assessments:similarity_list"),
            reverse("assessments:similarity_list") + "?q=示例&county=0&kind=TEXT&finding=NONE",
            reverse("assessments:self_assessment_similar", args=[mine.pk]),
            picture.get_absolute_url(),
            mine.get_absolute_url(),
        ],
        city.township_head: [reverse("assessments:self_assessment_similar", args=[mine.pk])],
    }.items():
        for url in urls:
            assert count(client, user, url) <= BUDGET, (user, url)


def test_pages_of_a_list_of_decisions(client, city, campaign, size):
    populate(city, campaign, size)
    filled = make_self_assessment(city, campaign, State.REVIEWED, organization=city.direct)
    reviewed = SelfAssessment.objects.filter(state=State.REVIEWED)
    batch, listed = deciding.prepare(campaign, reviewed, "评定会", city.lead)
    assert listed.added == size // 2 + 1
    line = batch.lines.get(self_assessment=filled)
    for url in (
        batch.get_absolute_url(),
        line.get_absolute_url(),
        f"{line.get_absolute_url()}?correct-indicator=G2.06",
        reverse("assessments:batch_meeting", args=[batch.pk]),
        reverse("assessments:decision_list") + "?flag=listed&sort=-total&page=2",
    ):
        assert count(client, city.lead, url) <= BUDGET, url


def test_ten_thousand_submissions(client, city, campaign):
    """The queue and the table of decisions cost what they cost with ten, down to the last page."""
    populate(city, campaign, 10)
    city_pages = [
        ("reviewer", reverse("assessments:review_list")),
        ("lead", reverse("assessments:decision_list")),
        ("lead", reverse("assessments:decision_list") + "?sort=tier_rank"),
        ("lead", reverse("assessments:decision_list") + "?sort=-county_rank&flag=unlisted"),
    ]
    few = [count(client, getattr(city, user), url) for user, url in city_pages]
    tree.plant_all(
        Organization(code=f"R{n:05}", name=f"示例{n}", tier="GRASSROOTS", parent=city.township)
        for n in range(10_000)
    )
    template = SelfAssessment.objects.get(organization=city.own)
    made = SelfAssessment.objects.bulk_create(
        SelfAssessment(
            campaign=campaign,
            organization=union,
            rubric=template.rubric,
            place=union.path,
            state=State.REVIEWED,
            revision=1,
            submitted_at=template.submitted_at,
            self_total=90,
        )
        for union in Organization.objects.filter(code__startswith="R")
    )
    reviews = template.reviews.model.objects
    reviews.bulk_create(
        reviews.model(
            self_assessment=one, reviewer=city.reviewer, revision=1, assigned_by=city.lead
        )
        for one in made
    )
    county = city.county.path
    Standing.objects.bulk_create(
        Standing(
            self_assessment=one,
            campaign=campaign,
            tier="GRASSROOTS",
            county=county,
            total=number % 100,
            outcome="NOT_AT_STANDARD",
            criteria=[],
            stamp="x",
            met=0,
        )
        for number, one in enumerate(made)
    )
    for (user, url), cost in zip(city_pages, few, strict=True):
        last = f"{url}{'&' if '?' in url else '?'}page=999"
        for address in (url, last):
            assert count(client, getattr(city, user), address) == cost, address
            assert cost <= BUDGET
            page = client.get(address).content
            assert len(gzip.compress(page)) < 40_000, address
    client.force_login(city.lead)
    table = client.get(reverse("assessments:decision_list"), {"sort": "-tier_rank"})
    assert {row.tier_rank for row in table.context["assessments"]} == {9901}


def test_pages_of_a_check(client, city, campaign, size):
    populate(city, campaign, size)
    quotas = {"GRASSROOTS": Quota(100, is_percent=True)}
    draft = lots.prepare(campaign, quotas, 1, city.lead)
    made = lots.draw(campaign, quotas, 1, city.lead, seen=draft.digest)
    assert made.inspections.count() == size + 1
    visit = Inspection.objects.get(self_assessment__organization=city.own)
    for one in Indicator.objects.filter(criterion__number=1, code__startswith="G"):
        inspecting.add_photo(visit, one, SimpleUploadedFile("一.png", PNG), city.lead)
    for url in (
        reverse("assessments:inspection_drawing") + "?GRASSROOTS=1&seed=1",
        made.get_absolute_url() + "?replay=1",
        reverse("assessments:inspection_lot", args=[made.pk]),
        visit.get_absolute_url(),
        reverse("assessments:inspection_criterion", args=[visit.pk, 1]),
    ):
        assert count(client, city.lead, url) <= BUDGET, url
    url = reverse("assessments:inspection_list") + f"?inspector={city.lead.pk}&county=direct&page=2"
    assert count(client, city.lead, url) <= BUDGET


def test_pages_of_the_supervision(client, city, campaign, size):
    populate(city, campaign, size)
    unions = Organization.objects.filter(code__startswith="Q")
    made = factories.make_round(
        city.admin, campaign, city.own, *unions, members=[city.reviewer, city.lead]
    )
    visit = made.visits.get(organization=city.own)
    for number in range(size // 100 + 2):
        photo = SimpleUploadedFile("一.png", PNG)
        found = factories.make_finding(visit, city.reviewer, photo, text=f"第 {number} 个问题")
    written = found.get_absolute_url(), visit.get_absolute_url()
    plan, team = made.get_absolute_url(), made.teams.get().pk
    for url in (
        *written,
        reverse("assessments:supervision_finding_add", args=[visit.pk]),
        f"{plan}?team={team}",
    ):
        assert count(client, city.reviewer, url) <= BUDGET, url
    factories.feed_back(visit, city.reviewer)
    rectifying.answer(found, "已整改。", [SimpleUploadedFile("二.png", PNG)], city.head)
    findings = reverse("assessments:supervision_findings")
    for user, urls in {
        city.reviewer: [*written, "/"],
        city.head: [*written, findings, "/"],
        city.county_head: [*written, findings],
        city.admin: [
            *written,
            "/",
            plan,
            f"{plan}?q=示例&county={city.county.code}&state=PLANNED&sort=-findings&page=2",
            f"{findings}?round={made.pk}&state=OVERDUE&criterion=1&severity=MINOR",
            reverse("assessments:supervision_edit", args=[made.pk]),
            reverse("assessments:supervision_team", args=[team]),
            reverse("assessments:supervision_places", args=[team]) + "?q=示例",
            reverse("assessments:supervision_visit_drop", args=[visit.pk]),
            reverse("assessments:progress_report"),
        ],
    }.items():
        for url in urls:
            assert count(client, user, url) <= BUDGET, (user, url)


def test_pages_of_a_closed_check(client, city, campaign):
    """As reviewers see it, beside what was sent back, and as the union does in the end."""
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    visit = inspecting.add(assessment, "群众反映", city.lead)
    found = [
        inspecting.Entry(one, "CONFIRMED", "属实。", None, "")
        for one in Indicator.objects.filter(criterion__rubric=assessment.rubric)
    ]
    inspecting.save(visit, found, city.lead)
    for one in found[:10]:
        photo = SimpleUploadedFile("一.png", PNG)
        inspecting.add_photo(visit, one.indicator, photo, city.lead)
    inspecting.complete(visit, visited_on=factories.today(), minutes="", statement="", by=city.lead)
    factories.send_back(assessment, city.lead, ("G3.01", "G3.02"))
    factories.answer_remarks(assessment, city.head)
    factories.perform(assessment, Action.SUBMIT, city.head)
    factories.perform(assessment, Action.BEGIN_REVIEW, city.reviewer)
    review = assessment.reviews.get()
    for url in (
        reverse("assessments:review_criterion", args=[review.pk, 3]),
        reverse("assessments:review_aside", args=[review.pk, 3]),
        review.get_absolute_url(),
        visit.get_absolute_url(),
    ):
        assert count(client, city.reviewer, url) <= BUDGET, url
    demo.score_like_union(assessment, city.reviewer)
    factories.perform(assessment, Action.COMPLETE_REVIEW, city.reviewer)
    factories.perform(assessment, Action.DECIDE, city.lead)
    factories.perform(assessment, Action.PUBLISH, city.admin)
    for user in (city.head, city.township_head, city.leader):
        for url in (assessment.get_absolute_url(), visit.get_absolute_url()):
            assert count(client, user, url) <= BUDGET, (user, url)


def test_somebody_with_many_roles(client, city, campaign):
    user = factories.make_user(name="多面手")
    Membership.objects.bulk_create(
        Membership(user=user, organization=organization, role=role)
        for organization in (city.own, city.sibling, city.foreign, city.direct)
        for role in (Role.REPORTER, Role.HEAD)
    )
    assert count(client, user, "/") <= BUDGET


@pytest.mark.parametrize("who", ["admin", "county_admin"])
def test_unions_and_accounts(client, city, campaign, size, who):
    populate(city, campaign, size)
    unions = Organization.objects.filter(code__startswith="Q")[:100]
    accounts.open_all([(union, Role.HEAD, "示例主席") for union in unions])
    user = getattr(city, who)
    addresses = [
        "/organizations/?q=示例",
        f"/organizations/{city.county.pk}/",
        f"/organizations/{city.township.pk}/",
        f"/organizations/{city.township.pk}/add/",
        f"/organizations/{city.township.pk}/edit/",
        f"/organizations/{city.township.pk}/move/",
        f"/organizations/{city.township.pk}/merge/",
        f"/organizations/{city.township.pk}/dissolve/",
        "/imports/",
        "/imports/template.xlsx",
        "/imports/register.xlsx",
        "/people/",
        "/people/?q=示例&role=HEAD&state=new",
        "/people/add/",
        f"/people/{city.head.pk}/",
        f"/people/{city.head.pk}/hand-over/",
    ]
    cost = {address: count(client, user, address) for address in addresses}
    assert {address: number for address, number in cost.items() if number > BUDGET} == {}


def test_a_preview_costs_the_same_for_any_list(client, city, size):
    rows = "".join(f"L{n},示例{n}工会,基层,{city.township.code}\n" for n in range(size))
    file = SimpleUploadedFile("名册.csv", f"代码,名称,层级,上级工会\n{rows}".encode())
    batch = previews.upload(file, by=city.admin)
    assert count(client, city.admin, f"{batch.get_absolute_url()}?page=99") <= BUDGET


def test_the_inbox(client, city, size):
    Notification.objects.bulk_create(
        Notification(
            recipient=city.lead,
            kind="TURN",
            key=f"{n}",
            text=f"第 {n} 条",
            link="/",
            at=timezone.now(),
            read_at=timezone.now() if n % 2 else None,
            waiting_since=timezone.now(),
        )
        for n in range(size)
    )
    for url in ("/messages/", "/messages/?show=unread&page=99"):
        assert count(client, city.lead, url) <= BUDGET


@pytest.mark.parametrize(
    "url",
    [
        "/admin/",
        "/admin/organizations/delivery/",
        "/admin/organizations/membership/",
        "/admin/organizations/membership/add/",
        "/admin/organizations/organization/?county=0&kind=ENTERPRISE",
        "/admin/organizations/organizationimport/",
        "/admin/organizations/organization/",
        "/admin/organizations/user/",
        "/admin/assessments/campaign/",
        "/admin/assessments/indicator/",
        "/admin/organizations/auditevent/",
    ],
)
def test_back_office_lists(client, city, campaign, url):
    populate(city, campaign, 300)
    assert count(client, city.admin, url) <= BUDGET


def test_the_page_of_a_user_with_a_dozen_roles_in_the_back_office(client, city, campaign):
    populate(city, campaign, 12)
    Membership.objects.bulk_create(
        Membership(user=city.nobody, organization=union, role=Role.REPORTER)
        for union in Organization.objects.filter(code__startswith="Q")
    )
    url = f"/admin/organizations/user/{city.nobody.pk}/change/"
    assert count(client, city.admin, url) <= BUDGET
