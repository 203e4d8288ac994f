"""Demonstration data: made-up unions and people, led through the real workflow.

Everything here is recognisably invented (示例…) and is never loaded in production.
"""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from assessments import (
    answering,
    assigning,
    campaigns,
    cases,
    deadlines,
    evidence,
    notices,
    permissions,
    plans,
    proxies,
    reviewing,
    workflow,
    worksheet,
)
from assessments.choices import Action, CaseAction, FindingSeverity, IndicatorKind, PlanAction
from assessments.entries import Entry
from assessments.models import (
    Campaign,
    ExemplaryCase,
    Indicator,
    Notice,
    Rubric,
    SelfAssessment,
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    TierPolicy,
)
from assessments.scoring import Rating
from assessments.supervision import planning, visiting
from organizations import tree
from organizations.choices import ASSESSED_TIERS, Ownership, Role, Tier, UnitKind
from organizations.models import Membership, Organization, User

PASSWORD = "Liuhao-demo-2026"  # noqa: S105 - printed on the screen: it guards made-up data
CITY, COUNTY = "410400", "410421"

#: username, name, what it shows, (code of the organization, role)…
ACCOUNTS = [
    ("reporter", "示例填报员", "基层工会填报员", [("DEMO-001", Role.REPORTER)]),
    ("head", "示例主席", "基层工会负责人（签批提交）", [("DEMO-001", Role.HEAD)]),
    ("township", "示例乡镇主席", "乡镇工会负责人（初审下级）", [("410421100", Role.HEAD)]),
    ("county", "示例县主席", "县总工会负责人（看全县、初审乡镇）", [(COUNTY, Role.HEAD)]),
    ("county-admin", "示例县管理员", "县总工会管理员（本县的工会和账号）", [(COUNTY, Role.ADMIN)]),
    ("reviewer", "示例评审员甲", "市总工会评审员", [(CITY, Role.REVIEWER)]),
    ("reviewer2", "示例评审员乙", "市总工会评审员", [(CITY, Role.REVIEWER)]),
    ("lead", "示例评审组长", "市总工会评审组长（分派、评定）", [(CITY, Role.LEAD_REVIEWER)]),
    ("admin", "示例管理员", "市总工会管理员（工会、账号、后台、汇总）", [(CITY, Role.ADMIN)]),
    ("leader", "示例领导", "市总工会观察员（只看）", [(CITY, Role.VIEWER)]),
]
_KINDS = [
    ("机械制造有限公司", UnitKind.ENTERPRISE),
    ("商贸有限公司", UnitKind.ENTERPRISE),
    ("实验小学", UnitKind.INSTITUTION),
    ("人民医院", UnitKind.INSTITUTION),
    ("物流有限公司", UnitKind.ENTERPRISE),
    ("纺织有限公司", UnitKind.ENTERPRISE),
    ("建筑安装工程有限责任公司", UnitKind.ENTERPRISE),
    ("中等专业学校", UnitKind.INSTITUTION),
]
#: How far each demonstration union has come: the last action, and the share of full marks.
_STORIES: list[tuple[Action | None, str]] = [
    (None, "1"),
    (Action.SUBMIT, "1"),
    (Action.ENDORSE, "0.9"),
    (Action.BEGIN_REVIEW, "1"),
    (Action.COMPLETE_REVIEW, "0.9"),
    (Action.DECIDE, "1"),
    (Action.DECIDE, "0.6"),
]


def accounts() -> list[tuple[str, str]]:
    """(username, what it shows) of the demonstration accounts."""
    return [(username, shows) for username, _, shows, _ in ACCOUNTS]


@transaction.atomic
def seed() -> bool:
    """Add the demonstration data; False, and nothing done, where it is there already."""
    if Organization.objects.filter(code="DEMO-001").exists():
        return False
    _plant_unions()
    users = _make_users()
    campaign = _open_campaign(users["admin"])
    unions = Organization.objects.filter(code__startswith="DEMO-").order_by("code")
    for (action, share), organization in zip(_STORIES, unions[1 : len(_STORIES) + 1], strict=True):
        _tell(campaign, organization, users, action, Decimal(share))
    small = unions.filter(parent__parent__code=COUNTY).last()
    reason = "该工会没有专职人员，也没有电脑。"
    fill_in(proxies.begin(campaign, small, reason, users["county"]), users["county"], Decimal(1))
    _plan(campaign, users)
    _supervise(campaign, users)
    _announce(users)
    _praise(campaign, users)
    return True


def _plant_unions() -> None:
    """Eight unions in each of four townships of 宝丰县 and two others, and three under the city."""
    townships = list(
        Organization.objects.filter(tier=Tier.TOWNSHIP, code__startswith=COUNTY).order_by("code")[
            :4
        ]
    ) + list(Organization.objects.filter(code__in=["410402001", "410481001"]))
    # 城关镇 first: the demonstration accounts belong to it.
    townships.sort(key=lambda organization: (organization.code != "410421100", organization.code))
    places = [(township, kind) for township in townships for kind in _KINDS]
    places += [(Organization.objects.get(code=CITY), kind) for kind in _KINDS[:3]]
    tree.plant_all(
        Organization(
            code=f"DEMO-{number:03}",
            name=f"示例{parent.name.removesuffix('工会委员会').removesuffix('总工会')}{unit}工会委员会",
            tier=Tier.GRASSROOTS,
            parent=parent,
            kind=kind,
            ownership=Ownership.PRIVATE if kind == UnitKind.ENTERPRISE else Ownership.STATE,
            workers=120 + 7 * number,
            members=118 + 7 * number,
            has_legal_person=number % 3 != 0,
        )
        for number, (parent, (unit, kind)) in enumerate(places, start=1)
    )


def _make_users() -> dict[str, User]:
    users = {}
    for username, name, _, roles in ACCOUNTS:
        users[username] = User.objects.create_user(username, password=PASSWORD, full_name=name)
        for code, role in roles:
            Membership.objects.create(
                user=users[username], organization=Organization.objects.get(code=code), role=role
            )
    return users


def _open_campaign(by: User) -> Campaign:
    today = deadlines.local_day(deadlines.now())
    campaign = Campaign.objects.create(
        name=f"{today.year}年度争创“六好”工会活动",
        year=today.year,
        cycle_start_year=today.year,
        plan_deadline=dt.date(today.year, 4, 30),
        opens_on=today - dt.timedelta(days=30),
        submission_deadline=today + dt.timedelta(days=30),
        endorsement_deadline=today + dt.timedelta(days=45),
        review_deadline=today + dt.timedelta(days=75),
    )
    for tier in ASSESSED_TIERS:
        TierPolicy.objects.create(
            campaign=campaign,
            tier=tier,
            rubric=Rubric.objects.filter(tier=tier).latest("version"),
            endorsement_required=tier != Tier.COUNTY,
            reviewers=2 if tier == Tier.COUNTY else 1,
        )
    campaigns.open_campaign(campaign, by=by)
    campaign.refresh_from_db()
    return campaign


def _tell(
    campaign: Campaign,
    organization: Organization,
    users: dict[str, User],
    until: Action | None,
    share: Decimal,
) -> None:
    """Lead one union through the workflow as far as its story goes."""
    head = User.objects.create_user(
        organization.code.lower(), full_name=f"{organization.name[:6]}主席"
    )  # without a password: nobody signs in as this one
    Membership.objects.create(user=head, organization=organization, role=Role.HEAD)
    assessment = answering.start(campaign, organization, head)
    fill_in(assessment, head, share)
    steps = [
        (Action.SUBMIT, head, {}),
        (Action.ENDORSE, users["township"], {"opinion": "经初审，材料属实，同意推荐。"}),
        (Action.BEGIN_REVIEW, users["reviewer"], {}),
        (Action.COMPLETE_REVIEW, users["reviewer"], {"opinion": ""}),
        (Action.DECIDE, users["lead"], {"opinion": ""}),
    ]
    for action, by, details in steps:
        if until is None:
            return
        if action == Action.BEGIN_REVIEW:
            assigning.assign(assessment, users["reviewer"], users["lead"])
        if action == Action.COMPLETE_REVIEW:
            score_like_union(assessment, by)
        assessment = workflow.perform(assessment, action, by=by, **details)
        if action == until:
            return


def _plan(campaign: Campaign, users: dict[str, User]) -> None:
    """实施方案 as the administrator finds them: accepted, sent back, waiting, begun."""
    heads = User.objects.filter(username__startswith="demo-").order_by("username")
    stories = [
        (PlanAction.FILE, PlanAction.ACCEPT),
        (PlanAction.FILE, PlanAction.RETURN),
        (PlanAction.FILE,),
        (),
    ]
    for head, actions in zip([users["county"], *heads], stories, strict=False):
        union = head.memberships.get().organization
        texts = [
            f"示例：{part.heading}由专人负责，年底前完成。"
            for part in plans.outline(campaign, union)
        ]
        plan = plans.save(campaign, union, plans.Content(texts), by=head, seen=0)
        for action in actions:
            by = head if action == PlanAction.FILE else users["admin"]
            remarks = "请补充经费预算和完成时间。" if action == PlanAction.RETURN else ""
            plan = plans.perform(plan, action, by=by, seen=plan.stamp, remarks=remarks)


def _supervise(campaign: Campaign, users: dict[str, User]) -> None:
    """督查: a finding that waits for the grassroots head, and two unions that are still to be visited."""
    admin, reviewer = users["admin"], users["reviewer"]
    today = deadlines.local_day(deadlines.now())
    plan = planning.Plan(
        "年中督查", today, today + dt.timedelta(days=30), "看组织机制，看活动阵地，看工作台账。"
    )
    made = SupervisionRound(campaign=campaign, organizer=Organization.objects.get(code=CITY))
    made = planning.save(made, plan, admin, 0)
    team = planning.save_team(
        SupervisionTeam(round=made),
        name="第一组",
        leader=reviewer,
        members=[users["reviewer2"]],
        by=admin,
    )
    places = Organization.objects.filter(code__in=["DEMO-001", "DEMO-002", "DEMO-003"])
    planning.add_places(team, places, None, admin)
    planning.start(made, admin)
    visit = made.visits.get(organization__code="DEMO-001")
    finding = visiting.Finding(
        "会员名册没有及时更新，新进职工没有入册。",
        None,
        FindingSeverity.MINOR,
        today + dt.timedelta(days=15),
    )
    visiting.save(SupervisionFinding(visit=visit), finding, [], by=reviewer, seen=0)
    summary = "组织健全，阵地规范，台账需要补齐。"
    visiting.feed_back(visit, visited_on=today, summary=summary, by=reviewer)


def _announce(users: dict[str, User]) -> None:
    """通知公告: one for everybody, one for the unions alone."""
    city = permissions.publishes_for(users["admin"])
    for title, body, is_public in [
        ("示例：关于开展争创“六好”工会活动的公告", "<p>欢迎社会各界关注和监督。</p>", True),
        ("示例：关于做好自评申报工作的通知", "<p>请各级工会按时完成自评，备齐材料。</p>", False),
    ]:
        content = notices.Content(title, body, is_public=is_public)
        notice = notices.save(Notice(publisher=city), content, by=users["admin"], seen=0)
        notices.publish(notice, by=users["admin"], seen=notice.version)


def _praise(campaign: Campaign, users: dict[str, User]) -> None:
    """先进经验: one is published, one waits for the city."""
    union = users["head"].memberships.get().organization
    criteria = campaign.policies.get(tier=union.tier).rubric.criteria.all()
    steps = [
        (CaseAction.SUBMIT, "head"),
        (CaseAction.FORWARD, "township"),
        (CaseAction.PUBLISH, "admin"),
    ]
    for title, criterion, color, count in [
        ("示例：把清凉送进车间", criteria[4], "#c9e4de", 3),
        ("示例：职工书屋办到班组", criteria[5], "#faedcb", 2),
    ]:
        body = f"<p>{title.removeprefix('示例：')}，职工满意，做法可以推广。</p>"
        content = cases.Content(title, body, criterion, campaign.year)
        case = cases.save(ExemplaryCase(organization=union), content, by=users["head"], seen=0)
        picture = io.BytesIO()
        Image.new("RGB", (800, 450), color).save(picture, "PNG")
        photo = SimpleUploadedFile("示例照片.png", picture.getvalue())
        cases.add_photo(case, photo, users["head"])
        for action, who in steps[:count]:
            case = cases.perform(case, action, by=users[who], seen=case.stamp)


def plausible_rating(indicator: Indicator, share: Decimal) -> Rating:
    """A rating at about this share (0–1) of the full mark."""
    if indicator.kind == IndicatorKind.CHECKLIST:
        count = int(len(indicator.checklist_items) * share)
        return Rating(checked_items=tuple(indicator.checklist_items[:count]))
    counts = {"numerator": int(118 * share), "denominator": 120}
    halves = round(indicator.max_points * share * 2)
    if indicator.kind == IndicatorKind.RATE and indicator.threshold_percent is not None:
        return Rating(**counts)
    score = Decimal(halves) / 2
    return Rating(score=score, **counts) if indicator.kind == IndicatorKind.RATE else Rating(score)


def fill_in(assessment: SelfAssessment, by: User, share: Decimal) -> None:
    """Answer every indicator and attach a file where one is required."""
    today = deadlines.local_day(deadlines.now()).isoformat()
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    answering.save(
        assessment,
        [
            answering.Change(
                line.indicator,
                Entry(
                    plausible_rating(line.indicator, share),
                    {
                        "account": f"示例说明：{line.indicator.name}，已按要求开展，资料齐全。",
                        "not_applicable_reason": "",
                        "as_of": today if line.indicator.kind == IndicatorKind.RATE else "",
                    },
                ),
                answering.entry_of(line.answer).fingerprint,
            )
            for line in lines
        ],
        by,
    )
    for line in lines:
        if line.indicator.evidence_required:
            name = f"示例材料-{line.indicator.name}.pdf"
            content = small_pdf(f"{assessment.organization.code} {line.indicator.code}")
            evidence.attach(assessment, line.indicator, [SimpleUploadedFile(name, content)], by)


def score_like_union(assessment: SelfAssessment, reviewer: User) -> None:
    """A reviewer agrees with the union throughout, and says so where the mark is not full."""
    review = assessment.reviews.get(reviewer=reviewer)
    lines = [line for section in worksheet.load(assessment) for line in section.lines]
    reviewing.save(
        review,
        [
            answering.Change(
                line.indicator,
                Entry(
                    line.answer.rating,
                    {"remark": "" if line.result.points == line.result.maximum else "同意自评。"},
                ),
                "",
            )
            for line in lines
        ],
        reviewer,
    )


def small_pdf(text: str) -> bytes:
    """A valid one-page PDF that says `text` (ASCII)."""
    stream = f"BT /F1 18 Tf 72 760 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(body))
    )
