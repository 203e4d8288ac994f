"""Making things for tests: plain functions; a state is reached through the real workflow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from django.core.files import File
from django.db.models import F

from assessments import (
    answering,
    assigning,
    campaigns,
    cases,
    correcting,
    deadlines,
    demo,
    notices,
    permissions,
    plans,
    recommending,
    rubrics,
    standings,
    workflow,
    worksheet,
)
from assessments.choices import Action, CaseAction, CaseState, PlanAction, PlanState, State
from assessments.models import (
    Attachment,
    Campaign,
    Criterion,
    Evidence,
    ExemplaryCase,
    ImplementationPlan,
    Notice,
    PublicityPeriod,
    Recognition,
    Recommendation,
    RecommendationList,
    Review,
    ReviewScore,
    Rubric,
    SelfAssessment,
    Similarity,
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
    TierPolicy,
    Trace,
)
from assessments.supervision import planning, visiting
from organizations import tree
from organizations.choices import ASSESSED_TIERS, Role, Tier
from organizations.models import Membership, Organization, User

_numbers = count(1)


def today() -> dt.date:
    return deadlines.local_day(deadlines.now())


def make_organization(tier: Tier, parent: Organization | None, name: str = "", **fields: Any):
    number = next(_numbers)
    fields.setdefault("code", f"T{number:06}")
    return tree.plant(
        Organization(tier=tier, parent=parent, name=name or f"测试工会{number}", **fields)
    )


def make_user(*roles: tuple[Organization, Role], name: str = "", **fields: Any) -> User:
    number = next(_numbers)
    user = User.objects.create_user(
        fields.pop("username", f"user{number}"), full_name=name or f"用户{number}", **fields
    )
    for organization, role in roles:
        Membership.objects.create(user=user, organization=organization, role=role)
    return user


PASSWORD = "Signing-test-2026"


def give_password(user: User) -> User:
    """The user can sign in, and sign (签批), with PASSWORD."""
    user.set_password(PASSWORD)
    user.save()
    return user


@dataclass
class City:
    """A city with two counties, an industrial union, and people in every role.

    `own` is the union that most tests are about; `township` and `county` are above it.
    """

    city: Organization
    county: Organization
    township: Organization
    own: Organization
    sibling: Organization
    other_county: Organization
    other_township: Organization
    foreign: Organization
    industry: Organization
    direct: Organization
    reporter: User
    head: User
    own_viewer: User
    township_head: User
    county_head: User
    county_admin: User
    sibling_head: User
    foreign_head: User
    reviewer: User
    other_reviewer: User
    lead: User
    admin: User
    leader: User
    nobody: User

    def users(self) -> dict[str, User]:
        """Everybody by name, for tables over all roles."""
        return {name: value for name, value in vars(self).items() if isinstance(value, User)}


def make_city() -> City:
    city = make_organization(Tier.CITY, None, "平顶山市总工会")
    county = make_organization(Tier.COUNTY, city, "宝丰县总工会")
    township = make_organization(Tier.TOWNSHIP, county, "城关镇工会委员会")
    own = make_organization(Tier.GRASSROOTS, township, "示例机械制造有限公司工会委员会")
    sibling = make_organization(Tier.GRASSROOTS, township, "示例商贸有限公司工会委员会")
    other_county = make_organization(Tier.COUNTY, city, "叶县总工会")
    other_township = make_organization(Tier.TOWNSHIP, other_county, "昆阳街道工会委员会")
    foreign = make_organization(Tier.GRASSROOTS, other_township, "示例实验小学工会委员会")
    industry = make_organization(Tier.INDUSTRY, city, "平顶山市教育工会")
    direct = make_organization(Tier.GRASSROOTS, city, "示例市直机关工会委员会")
    return City(
        city=city,
        county=county,
        township=township,
        own=own,
        sibling=sibling,
        other_county=other_county,
        other_township=other_township,
        foreign=foreign,
        industry=industry,
        direct=direct,
        reporter=make_user((own, Role.REPORTER), name="王填报"),
        head=make_user((own, Role.HEAD), name="李主席"),
        own_viewer=make_user((own, Role.VIEWER), name="观察甲"),
        township_head=make_user((township, Role.HEAD), name="镇主席"),
        county_head=make_user((county, Role.HEAD), name="县主席"),
        county_admin=make_user((county, Role.ADMIN), name="县管理员"),
        sibling_head=make_user((sibling, Role.HEAD), name="邻主席"),
        foreign_head=make_user((foreign, Role.HEAD), name="外主席"),
        reviewer=make_user((city, Role.REVIEWER), name="评审甲"),
        other_reviewer=make_user((city, Role.REVIEWER), name="评审乙"),
        lead=make_user((city, Role.LEAD_REVIEWER), name="组长"),
        admin=make_user((city, Role.ADMIN), name="管理员"),
        leader=make_user((city, Role.VIEWER), name="领导"),
        nobody=make_user(name="无角色"),
    )


def make_notice(by: User, *, published: bool = True, **content: Any) -> Notice:
    """For everybody, unless the content says otherwise."""
    publisher = permissions.publishes_for(by)
    content = {"title": "关于报送材料的通知", "body": "<p>请按时报送。</p>"} | content
    notice = notices.save(Notice(publisher=publisher), notices.Content(**content), by=by, seen=0)
    if published:
        notices.publish(notice, by=by, seen=notice.version)
        notice.refresh_from_db()
    return notice


def make_campaign(
    *,
    opened: bool = True,
    endorsement: bool = False,
    reviewers: int = 1,
    year: int | None = None,
    **fields: Any,
) -> Campaign:
    """A campaign that began ten days ago and takes submissions for twenty days more."""
    rubrics.load()
    year = year or today().year
    defaults: dict[str, Any] = {
        "name": f"{year}年度争创“六好”工会活动",
        "year": year,
        "cycle_start_year": year,
        "plan_deadline": dt.date(year, 4, 30),
        "opens_on": today() - dt.timedelta(days=10),
        "submission_deadline": today() + dt.timedelta(days=20),
        "review_deadline": today() + dt.timedelta(days=60),
    }
    campaign = Campaign.objects.create(**defaults | fields)
    for tier in ASSESSED_TIERS:
        TierPolicy.objects.create(
            campaign=campaign,
            tier=tier,
            rubric=Rubric.objects.get(tier=tier, version=1),
            endorsement_required=endorsement,
            reviewers=reviewers,
        )
    if opened:
        campaigns.open_campaign(campaign, by=None)
        campaign.refresh_from_db()
    return campaign


def make_self_assessment(
    city: City,
    campaign: Campaign,
    state: State = State.DRAFT,
    *,
    organization: Organization | None = None,
    head: User | None = None,
    reviewers: list[User] | None = None,
    filled: bool = True,
    share: str = "1",
) -> SelfAssessment:
    """A self-assessment led through the real workflow to the state that is asked for."""
    organization = organization or city.own
    head = head or (city.head if organization == city.own else make_user((organization, Role.HEAD)))
    assessment = answering.start(campaign, organization, head)
    if filled or state != State.DRAFT:
        demo.fill_in(assessment, head, Decimal(share))
    assessment.refresh_from_db()
    if state == State.DRAFT:
        return assessment
    perform(assessment, Action.SUBMIT, head)
    if state == State.SUBMITTED:
        return assessment
    if state == State.RETURNED:
        send_back(assessment, city.lead)
        return assessment
    superior_head = _head_of(organization.parent)
    if state == State.ENDORSED:
        perform(assessment, Action.ENDORSE, superior_head, opinion="同意推荐。")
        return assessment
    if permissions.endorsement_applies(assessment):
        perform(assessment, Action.ENDORSE, superior_head, opinion="同意推荐。")
    reviewers = reviewers or [city.reviewer]
    for reviewer in reviewers:
        assigning.assign(assessment, reviewer, city.lead)
    perform(assessment, Action.BEGIN_REVIEW, reviewers[0])
    if state == State.UNDER_REVIEW:
        return assessment
    for reviewer in reviewers:
        demo.score_like_union(assessment, reviewer)
        perform(assessment, Action.COMPLETE_REVIEW, reviewer)
    if state == State.REVIEWED:
        return assessment
    perform(assessment, Action.DECIDE, city.lead)
    if state == State.DECIDED:
        return assessment
    perform(assessment, Action.PUBLISH, city.admin)
    if state == State.PUBLISHED:
        return assessment
    pass_publicity()
    perform(assessment, Action.FINALISE, city.admin)
    return assessment


def make_round(
    by: User,
    campaign: Campaign,
    *unions: Organization,
    members: Collection[User],
    started: bool = True,
) -> SupervisionRound:
    """督查 by one team, of which the first of `members` is the leader."""
    days = {"starts_on": today(), "ends_on": today() + dt.timedelta(days=30)}
    plan = planning.Plan(title="年中督查", purpose="看机制、看阵地、看台账。", **days)
    made = SupervisionRound(campaign=campaign, organizer=permissions.supervises_for(by))
    made = planning.save(made, plan, by, 0)
    team = SupervisionTeam(round=made)
    leader, *_ = members
    planning.save_team(team, name="第一组", leader=leader, members=members, by=by)
    chosen = Organization.objects.filter(pk__in=[union.pk for union in unions])
    if unions:
        planning.add_places(team, chosen, None, by)
    if started:
        planning.start(made, by)
    made.refresh_from_db()
    return made


def make_finding(
    visit: SupervisionVisit, by: User, *uploads: File, days: int = 15, **content: Any
) -> SupervisionFinding:
    """A finding that is to be put right within so many days; not handed over yet."""
    due = today() + dt.timedelta(days=days)
    content = {
        "text": "会员名册没有更新。",
        "criterion": None,
        "severity": "MINOR",
        "rectify_by": due,
    } | content
    found = SupervisionFinding(visit=visit)
    return visiting.save(found, visiting.Finding(**content), uploads, by=by, seen=0)


def feed_back(visit: SupervisionVisit, by: User) -> SupervisionVisit:
    """反馈: the union is told of what was found."""
    visiting.feed_back(visit, visited_on=today(), summary="总体较好。", by=by)
    visit.refresh_from_db()
    return visit


def pass_publicity() -> None:
    """All that is published has been so for longer than its period."""
    PublicityPeriod.objects.update(
        opens_on=today() - dt.timedelta(days=9), closes_on=today() - dt.timedelta(days=1)
    )


def perform(assessment: SelfAssessment, action: Action, by: User, **details: Any) -> None:
    """Run the action on a fresh user, as a new request would, and refresh the row."""
    workflow.perform(assessment, action, by=User.objects.get(pk=by.pk), **details)
    assessment.refresh_from_db()


def send_back(assessment: SelfAssessment, by: User, codes: tuple[str, ...] = ("G1.01",)) -> None:
    indicators = [
        line.indicator for section in worksheet.load(assessment) for line in section.lines
    ]
    wanted = {i: "请补充材料。" for i in indicators if i.code in codes} or {
        indicators[0]: "请补充。"
    }
    perform(assessment, Action.RETURN, by, remarks=wanted, reason="部分内容不全。")


def answer_remarks(assessment: SelfAssessment, by: User) -> None:
    """Every remark of the return is answered, so that it can be handed in again."""
    assessment.refresh_from_db()
    asked = correcting.unanswered(assessment)
    if not asked:
        return
    correcting.reply(assessment, {remark.pk: "已按要求修改。" for remark in asked}, by)


def _head_of(organization: Organization | None) -> User:
    membership = Membership.objects.filter(organization=organization, role=Role.HEAD).first()
    return membership.user if membership else make_user((organization, Role.HEAD))


def beyond_doubt(assessment: SelfAssessment) -> SelfAssessment:
    """Every answer has an account, evidence and a dated, full rate: nothing to warn of. The
    answers are those that were handed in: their revision is left as it is."""
    file = Evidence.objects.filter(organization=assessment.organization).first()
    answers = list(assessment.answers.prefetch_related("attachments"))
    Attachment.objects.bulk_create(
        Attachment(answer=answer, evidence=file, position=1)
        for answer in answers
        if not answer.attachments.all()
    )
    assessment.answers.update(
        account="按要求开展了工作，制度健全，记录完整，职工认可。", as_of=today()
    )
    assessment.answers.filter(denominator__isnull=False).update(numerator=F("denominator"))
    return assessment


def make_many_reviewed(city: City, campaign: Campaign, count: int) -> list[SelfAssessment]:
    """`count` unions whose submission has been reviewed: copies of one, made in bulk."""
    model = make_self_assessment(city, campaign, State.REVIEWED, organization=city.direct)
    tree.plant_all(
        Organization(
            code=f"M{n:05}", name=f"批量第{n}工会", tier=Tier.GRASSROOTS, parent=city.township
        )
        for n in range(count)
    )
    made = SelfAssessment.objects.bulk_create(
        SelfAssessment(
            campaign=campaign,
            organization=union,
            rubric=model.rubric,
            place=union.path,
            state=State.REVIEWED,
            revision=1,
            submitted_at=model.submitted_at,
            self_total=model.self_total,
        )
        for union in Organization.objects.filter(code__startswith="M").order_by("pk")
    )
    template = model.reviews.get()
    reviews = Review.objects.bulk_create(
        Review(
            self_assessment=one,
            reviewer=template.reviewer,
            revision=1,
            assigned_by=template.assigned_by,
            completed_at=template.completed_at,
        )
        for one in made
    )
    scores = list(template.scores.all())
    ReviewScore.objects.bulk_create(
        (_copy(score, review) for review in reviews for score in scores), batch_size=2000
    )
    standings.rebuild(campaign)
    return made


def _copy(score: ReviewScore, review: Review) -> ReviewScore:
    copy = ReviewScore(review=review, indicator_id=score.indicator_id, remark=score.remark)
    copy.apply(score.rating)
    return copy


def make_plan(
    campaign: Campaign,
    organization: Organization,
    by: User,
    state: PlanState = PlanState.FILED,
    upload: File | None = None,
) -> ImplementationPlan:
    """An implementation plan by the outline, led to the state; `by` files it, a fresh lead answers."""
    texts = ["按计划推进，责任到人。" for _ in plans.outline(campaign, organization)]
    plan = plans.save(campaign, organization, plans.Content(texts, upload), by=by, seen=0)
    if state != PlanState.DRAFT:
        plan = plans.perform(plan, PlanAction.FILE, by=by, seen=plan.stamp)
    answers = {PlanState.ACCEPTED: PlanAction.ACCEPT, PlanState.RETURNED: PlanAction.RETURN}
    if state in answers:
        city = Organization.objects.get(tier=Tier.CITY)
        lead = make_user((city, Role.LEAD_REVIEWER))
        remarks = "请写明责任人。" if state == PlanState.RETURNED else ""
        plan = plans.perform(plan, answers[state], by=lead, seen=plan.stamp, remarks=remarks)
    return plan


#: The steps of a case up to each state, and who takes them.
_CASE_STEPS = {
    CaseState.SUBMITTED: [(CaseAction.SUBMIT, "head")],
    CaseState.RETURNED: [(CaseAction.SUBMIT, "head"), (CaseAction.RETURN, "township_head")],
    CaseState.FORWARDED: [(CaseAction.SUBMIT, "head"), (CaseAction.FORWARD, "township_head")],
}
_CASE_STEPS |= {
    state: [*_CASE_STEPS[CaseState.FORWARDED], *steps]
    for state, steps in {
        CaseState.DECLINED: [(CaseAction.DECLINE, "lead")],
        CaseState.PUBLISHED: [(CaseAction.PUBLISH, "lead")],
        CaseState.WITHDRAWN: [(CaseAction.PUBLISH, "lead"), (CaseAction.WITHDRAW, "head")],
    }.items()
}


def make_case(city: City, state: CaseState = CaseState.DRAFT, **content: Any) -> ExemplaryCase:
    """A case of the city's `own` union, led to the state."""
    rubrics.load()
    first = Criterion.objects.filter(rubric__tier=Tier.GRASSROOTS).order_by("number").first()
    content = {"title": "送清凉进车间", "body": "<p>高温天慰问一线职工。</p>"} | content
    content = {"criterion": first, "year": today().year} | content
    case = ExemplaryCase(organization=city.own)
    return lead_case(cases.save(case, cases.Content(**content), by=city.head, seen=0), city, state)


def lead_case(case: ExemplaryCase, city: City, state: CaseState) -> ExemplaryCase:
    """A draft of the city's `own` union is led to the state."""
    for action, who in _CASE_STEPS.get(state, []):
        by = User.objects.get(pk=getattr(city, who).pk)
        case = cases.perform(case, action, by=by, seen=case.stamp, remarks="请看。")
    return case


def make_recognition(assessment: SelfAssessment, by: User) -> Recognition:
    """命名 of one union by its standing decision, with the next number of its tier."""
    decision = assessment.decisions.get(superseded_at=None)
    tier, campaign = assessment.rubric.tier, assessment.campaign
    return Recognition.objects.create(
        organization=assessment.organization,
        campaign=campaign,
        decision=decision,
        tier=tier,
        number=campaign.recognitions.filter(tier=tier).count() + 1,
        union_name=assessment.organization.name,
        awarded_on=today(),
        awarded_by=by,
    )


def make_recommendation(assessment: SelfAssessment, first: User, second: User) -> Recommendation:
    """The union of a final self-assessment on the list for the province, confirmed by both."""
    campaign, tier = assessment.campaign, assessment.rubric.tier
    make_recognition(assessment, first)
    recommending.enter_goals(campaign, {assessment.organization: Decimal(100)}, {}, first)
    for confirmed in RecommendationList.objects.exclude(second_by=None).filter(campaign=campaign):
        recommending.reopen(confirmed, "增加名额", first, str(confirmed.version))
    made = recommending.draw_up(campaign, {(tier, None): 9}, Decimal(100), first)
    for user in (first, second):
        recommending.confirm(made, user, str(made.version))
    return assessment.recommendation


def make_flag(first: SelfAssessment, second: SelfAssessment) -> Similarity:
    """雷同: the same account in two submissions."""
    left, right = (
        Trace.objects.create(
            self_assessment=one, code="G1.01", codes=["G1.01"], revision=1, exact="0", wording="同"
        )
        for one in (first, second)
    )
    return Similarity.objects.create(
        campaign=first.campaign,
        kind="TEXT",
        left=left,
        right=right,
        left_assessment=first,
        right_assessment=second,
        degree=100,
    )
