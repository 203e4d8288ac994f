"""Every address × everybody: exactly these may open it, all others find nothing.

An address that is missing from the table fails the test.
"""

import datetime as dt
from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from assessments import (
    appeals,
    cases,
    deciding,
    exporting,
    extensions,
    inspecting,
    notices,
    phrases,
    rubric_editing,
    setting_up,
    timetable,
)
from assessments.choices import AppealKind, CaseState, PlanState, State
from assessments.models import (
    AssignmentRun,
    Evidence,
    Indicator,
    InspectionDraw,
    Recusal,
    Rubric,
    SelfAssessment,
    Survey,
)
from organizations import api_clients
from organizations.choices import Role, Tier
from organizations.importing import previews
from organizations.models import User
from organizations.models.organization import SUBTREE_ROLES
from tests import factories
from tests.factories import make_organization, make_self_assessment, make_user
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.django_db

# Everybody, by where they stand to the union that is asked for (the target).
OWN = {"reporter", "head", "own_viewer"}
OWN_WRITERS = {"reporter", "head"}
SUPERIORS = {
    "township_head",  # directly above the target
    "county_head",  # two steps above it
    "superior_reporter",
    "superior_viewer",
    "county_admin",
}
SUBORDINATES = {"subordinate_reporter", "subordinate_head", "subordinate_viewer"}
SIBLINGS = {"sibling_head", "sibling_reporter", "sibling_viewer"}
FOREIGN = {"foreign_head", "foreign_reporter", "foreign_viewer", "foreign_admin"}
STRANGERS = SUBORDINATES | SIBLINGS | FOREIGN | {"nobody", "other_reviewer"}
LEADS = {"lead", "admin"}
CITY = LEADS | {"leader"}
READERS = OWN | SUPERIORS | CITY | {"reviewer"}
EVERYBODY = READERS | STRANGERS
#: Administrators of the target, and of anything.
ADMINS = {"admin", "county_admin"}
ANY_ADMINS = ADMINS | {"foreign_admin"}
#: Everybody who belongs to a union that is assessed: each has the library of its own.
LIBRARY_READERS = (OWN | SUPERIORS | SUBORDINATES | SIBLINGS | FOREIGN) - ANY_ADMINS
LIBRARY_WRITERS = {who for who in LIBRARY_READERS if not who.endswith("_viewer")}
#: Heads of any union: each is asked which of its own to endorse.
HEADS = {who for who in EVERYBODY if who == "head" or who.endswith("_head")}
#: Who writes for a union that has others below it, and the city's lead.
URGERS = LEADS | {
    "township_head",
    "county_head",
    "superior_reporter",
}
REVIEWERS = {"reviewer", "other_reviewer", "lead"}

#: What is done to an account, always with a POST.
ACCOUNT_ACTS = (
    "slips",
    "slip",
    "grant",
    "revoke",
    "rename",
    "disable",
    "enable",
    "unlock",
    "second_factor",
)
CAMPAIGN_PAGES = ("list", "add", "days", "rubrics", "rules", "open", "close", "extend")
#: Who may open the address with GET, while the self-assessment is under review.
MAY_GET = {
    "assessments:workbench": EVERYBODY,
    "assessments:dashboard": EVERYBODY,
    "organizations:api_clients": {"admin"},
    "organizations:api_client_renew": set(),
    "organizations:api_client_revoke": set(),
    "assessments:policy": EVERYBODY,
    "assessments:self_assessment_start": set(),
    "assessments:self_assessment_detail": READERS,
    "assessments:self_assessment_criterion": READERS,
    "assessments:self_assessment_answer": set(),
    "assessments:self_assessment_ask_to_sign": set(),
    "assessments:form_pdf": READERS,
    "assessments:form_word": READERS,
    "assessments:sealed_scan": OWN_WRITERS,
    "assessments:proxy_begin": {"township_head", "county_head", "superior_reporter"},
    "assessments:proxy_end": set(),
    "assessments:submit_on_paper": set(),  # nobody fills in by proxy here
    "assessments:verify": EVERYBODY,
    "assessments:verify_code": EVERYBODY,
    "assessments:self_assessment_history": READERS,
    "assessments:self_assessment_compare": set(),  # handed in only once
    "assessments:self_assessment_revision": READERS,
    "assessments:self_assessment_replies": set(),  # leads on: nothing was sent back
    "assessments:self_assessment_return": LEADS | {"reviewer", "township_head"},
    "assessments:self_assessment_act": LEADS | {"reviewer"},
    "assessments:self_assessment_endorse": {"township_head"},
    "assessments:self_assessment_endorse_scores": {"township_head"},
    "assessments:extension_ask": {"reporter", "head"},
    "assessments:extension_list": {"admin"},
    "assessments:extension_answer": {"admin"},
    "assessments:help": EVERYBODY,
    "assessments:guide_put_away": set(),
    "assessments:evidence_download": READERS | {"other_reviewer"},  # who goes there
    "assessments:survey": READERS,
    "assessments:survey_codes": set(),
    "assessments:survey_close": set(),
    "assessments:survey_cancel": set(),
    "assessments:survey_adopt": set(),
    "assessments:survey_ballot": EVERYBODY,
    "assessments:evidence_content": READERS | {"other_reviewer"},
    "assessments:evidence_thumbnail": set(),  # a PDF has none
    "assessments:evidence_view": READERS | {"other_reviewer"},
    "assessments:evidence_edit": OWN_WRITERS,
    "assessments:evidence_use": OWN_WRITERS,
    "assessments:evidence_delete": OWN_WRITERS,
    "assessments:indicator_evidence": OWN_WRITERS,
    "assessments:library": LIBRARY_READERS,
    "assessments:upload_begin": set(),
    "assessments:upload": set(),
    "assessments:oversight": EVERYBODY,
    "assessments:urge": URGERS,
    "assessments:endorse_several": HEADS,
    "assessments:rank": {"township_head"},
    "assessments:review_list": REVIEWERS,
    "assessments:review_detail": {"reviewer"},
    "assessments:review_criterion": {"reviewer"},
    "assessments:review_score": set(),
    "assessments:review_aside": {"reviewer"},
    "assessments:review_resume": set(),  # leads on
    "assessments:review_next": set(),  # leads on
    "assessments:review_complete": set(),
    "assessments:phrase_list": REVIEWERS | {"admin"},
    "assessments:phrase": LEADS,  # a shared one
    "assessments:review_similar": {"reviewer"},
    "assessments:self_assessment_similar": SUPERIORS | CITY | {"reviewer"},
    "assessments:similarity_list": LEADS,
    "assessments:similarity": CITY | {"reviewer"},  # the other side is in another county
    "assessments:assignment_list": LEADS,
    "assessments:assignment_plan": LEADS,
    "assessments:assignment_runs": LEADS,
    "assessments:assignment_run": LEADS,
    "assessments:review_recuse": {"reviewer"},
    "assessments:review_confirm": set(),
    "assessments:review_replace": LEADS,
    "assessments:recusal_list": LEADS,
    "assessments:recusal_lift": LEADS,
    "assessments:discrepancy_list": LEADS,
    "assessments:arbitrate": set(),  # nothing is reviewed yet
    "assessments:calibration": LEADS | REVIEWERS,
    "assessments:inspection_list": REVIEWERS | {"admin"},
    "assessments:inspection_drawing": LEADS,
    "assessments:inspection_draw": LEADS,
    "assessments:inspection_lot": LEADS,
    "assessments:inspection_add": LEADS,
    "assessments:inspection": LEADS | {"other_reviewer"},  # who goes there
    "assessments:inspection_minutes": LEADS | {"other_reviewer"},
    "assessments:inspection_criterion": LEADS | {"other_reviewer"},
    "assessments:inspection_photo": LEADS | {"other_reviewer"},
    "assessments:inspection_photo_remove": set(),
    "assessments:decision_list": LEADS,
    "assessments:decision_prepare": LEADS,
    "assessments:decision_batch": LEADS,
    "assessments:batch_meeting": LEADS,
    "assessments:batch_letters": set(),  # leads on: nothing is decided yet
    "assessments:batch_change": set(),
    "assessments:pending_decision": LEADS,
    "assessments:decision_letter": CITY
    | {"foreign_admin", "reviewer"},  # of a union in another county
    "assessments:publicity_list": LEADS,
    "assessments:publicity_publish": {"admin"},
    "assessments:publicity": LEADS,
    "assessments:appeal_list": LEADS,
    "assessments:appeal": LEADS,
    "assessments:appeal_attachment": LEADS,
    "assessments:union_appeal": set(),  # of a union that is under review
    "assessments:results": EVERYBODY,
    "assessments:result_object": EVERYBODY,
    "assessments:appeal_look_up": EVERYBODY,
    "assessments:recognition_list": LEADS,
    "assessments:recognition_award": set(),  # leads on: nothing is final yet
    "assessments:recognition": CITY | {"foreign_admin", "reviewer"},  # in another county
    "assessments:certificate": CITY | {"foreign_admin", "reviewer"},
    "assessments:certificates": LEADS,
    "assessments:certified_letters": LEADS,
    "assessments:recognition_papers": LEADS,
    "assessments:certificate_look_up": EVERYBODY,
    "assessments:honours": EVERYBODY,
    **{
        f"assessments:rubric{page}": {"admin"}
        for page in (
            "_list",
            "_import",
            "",
            "_criterion",
            "_compare",
            "_copy",
            "_remove",
            "_json",
            "_workbook",
        )
    },
    "assessments:recommendation_list": LEADS,
    "assessments:goal_list": LEADS,
    "assessments:recommendation": CITY | {"foreign_admin", "reviewer"},  # in another county
    "assessments:recommendation_form": CITY | {"foreign_admin", "reviewer"},
    "assessments:recommendation_draw": LEADS,
    "assessments:recommendation_confirm": LEADS,
    "assessments:recommendation_summary": LEADS,
    "assessments:recommendation_forms": LEADS,
    "assessments:notice_list": EVERYBODY,
    "assessments:notice": EVERYBODY - {"nobody"},
    "assessments:notice_file": EVERYBODY - {"nobody"},
    "assessments:notice_add": ANY_ADMINS,
    "assessments:notice_edit": {"admin"},
    "assessments:notice_publish": set(),  # leads on: it is published
    "assessments:notice_withdraw": set(),
    "assessments:notice_receipts": {"admin"},
    "assessments:notice_urge": set(),
    "assessments:supervision_list": EVERYBODY,
    "assessments:supervision_add": ANY_ADMINS,
    "assessments:supervision": CITY | {"other_reviewer"},  # who is on the team
    "assessments:supervision_edit": {"admin"},
    "assessments:supervision_team_add": {"admin"},
    "assessments:supervision_team": {"admin"},
    "assessments:supervision_places": {"admin"},
    "assessments:supervision_act": set(),
    "assessments:supervision_visit": OWN | SUPERIORS | CITY | {"other_reviewer"},
    "assessments:supervision_visit_drop": {"admin"},
    "assessments:supervision_finding_add": {"other_reviewer"},
    "assessments:supervision_findings": EVERYBODY - {"nobody"},
    "assessments:supervision_finding": OWN | SUPERIORS | CITY | {"other_reviewer"},
    "assessments:supervision_file": OWN | SUPERIORS | CITY | {"other_reviewer"},
    "assessments:supervision_file_remove": set(),
    "assessments:progress_report": CITY,
    "assessments:progress_report_document": set(),  # leads on: for which day?
    "assessments:case_gallery": EVERYBODY,
    "assessments:case": EVERYBODY,
    "assessments:case_photo": EVERYBODY,
    "assessments:case_thumbnail": EVERYBODY,
    "assessments:case_list": EVERYBODY,
    "assessments:case_add": OWN_WRITERS,
    "assessments:case_record": OWN | SUPERIORS | SUBORDINATES | CITY,  # of the grassroots union
    "assessments:case_edit": OWN_WRITERS | LEADS,
    "assessments:case_act": set(),
    "assessments:review_nominate": set(),
    "assessments:plan_list": EVERYBODY,
    **{
        f"assessments:{name}": OWN | SUPERIORS | SUBORDINATES | CITY
        for name in ("plan", "plan_receipt", "plan_file")  # of the grassroots union, sent back
    },
    "assessments:plan_act": set(),
    "assessments:plan_edit": OWN_WRITERS,
    "assessments:plan_urge": URGERS,
    **{f"assessments:campaign_{name}": {"admin"} for name in CAMPAIGN_PAGES},
    "assessments:campaign": {"admin"},
    "assessments:campaign_archive": set(),  # leads on: it is open
    "assessments:calendar": EVERYBODY,
    "assessments:calendar_renew": set(),
    "assessments:calendar_file": EVERYBODY,  # who knows the address
    "assessments:summary": LEADS,
    "assessments:export_list": LEADS,
    "assessments:export_new": LEADS,
    "assessments:export_preset_forget": set(),
    "assessments:export_status": {"admin"},  # whose it is
    "assessments:export_file": {"admin"},
    "assessments:export_act": set(),
    "assessments:archive": LEADS,
    "assessments:archive_file": LEADS,
    "organizations:inbox": EVERYBODY,
    "organizations:messages_read": set(),
    "organizations:message": set(),  # leads on
    "organizations:message_read": set(),
    "organizations:list": EVERYBODY,
    "organizations:detail": READERS - {"reviewer"},
    "organizations:add": ADMINS,
    "organizations:edit": ADMINS,
    "organizations:move": ADMINS,
    "organizations:merge": ADMINS,
    "organizations:dissolve": ADMINS,
    "organizations:reactivate": set(),
    "organizations:imports": ANY_ADMINS,
    "organizations:import_template": ANY_ADMINS,
    "organizations:register": ANY_ADMINS,
    "organizations:import_detail": {"admin"},
    "organizations:import_confirm": set(),
    "organizations:import_discard": set(),
    "organizations:accounts": ANY_ADMINS,
    "organizations:account_add": ANY_ADMINS,
    "organizations:account": ADMINS,
    "organizations:account_hand_over": ADMINS,
    **{f"organizations:account_{name}": set() for name in ACCOUNT_ACTS},
    "password_change": EVERYBODY,
    "password_change_done": EVERYBODY,
    "profile": EVERYBODY,
    "identity_switch": set(),
    "alive": set(),
    "second_factor_enrol": EVERYBODY,
    "second_factor_verify": set(),
    "second_factor_codes": set(),
    "second_factor_disable": set(),
    "health": EVERYBODY,
    "language": set(),
    "words": EVERYBODY,
    "login": set(),
    "logout": set(),
    "admin:index": {"admin"},
    "sessions_end": set(),
}
#: Addresses that also take a POST, and who gets further than “not found” with an empty one.
MAY_POST = {
    "language": EVERYBODY,
    "organizations:api_clients": {"admin"},
    "organizations:api_client_renew": {"admin"},
    "organizations:api_client_revoke": {"admin"},
    "assessments:self_assessment_start": set(),
    "assessments:self_assessment_criterion": {"reporter", "head"},
    "assessments:self_assessment_answer": {"reporter", "head"},
    "assessments:self_assessment_ask_to_sign": {"reporter"},
    "assessments:extension_ask": {"reporter", "head"},
    "assessments:extension_answer": {"admin"},
    "assessments:guide_put_away": EVERYBODY,
    "assessments:sealed_scan": OWN_WRITERS,
    "assessments:proxy_begin": MAY_GET["assessments:proxy_begin"],
    "assessments:self_assessment_replies": OWN_WRITERS,
    "assessments:self_assessment_return": MAY_GET["assessments:self_assessment_return"],
    "assessments:self_assessment_act": LEADS | {"reviewer"},
    "assessments:review_criterion": {"reviewer"},
    "assessments:review_score": {"reviewer"},
    "assessments:review_complete": {"reviewer"},
    "assessments:phrase_list": REVIEWERS | {"admin"},
    "assessments:phrase": LEADS,
    "assessments:self_assessment_endorse": {"township_head"},
    "assessments:self_assessment_endorse_scores": {"township_head"},
    "assessments:urge": URGERS,
    "assessments:endorse_several": HEADS,
    "assessments:rank": {"township_head"},
    "assessments:similarity": LEADS | {"reviewer"},
    "assessments:inspection_drawing": LEADS,
    "assessments:inspection_add": LEADS,
    "assessments:inspection": set(),  # says what is to be done
    "assessments:inspection_criterion": LEADS | {"other_reviewer"},
    "assessments:inspection_photo_remove": LEADS | {"other_reviewer"},
    "assessments:decision_prepare": LEADS,
    "assessments:decision_batch": LEADS,
    "assessments:batch_change": LEADS,
    "assessments:publicity_publish": {"admin"},
    "assessments:publicity": {"admin"},
    "assessments:appeal": LEADS,
    "assessments:result_object": EVERYBODY,
    "assessments:appeal_look_up": EVERYBODY,
    "assessments:recognition": LEADS,
    "assessments:recognition_award": {"admin"},
    "assessments:goal_list": LEADS,
    "assessments:recommendation": LEADS,
    "assessments:recommendation_draw": LEADS,
    "assessments:recommendation_confirm": LEADS,
    **{
        f"assessments:rubric_{page}": {"admin"}
        for page in ("import", "criterion", "copy", "remove")
    },
    "assessments:notice_add": ANY_ADMINS,
    **{
        f"assessments:supervision_{name}": {"admin"}
        for name in ("edit", "team_add", "team", "places", "act", "visit_drop")
    },
    "assessments:supervision_add": ANY_ADMINS,
    "assessments:supervision_visit": {"other_reviewer"},
    "assessments:supervision_finding_add": {"other_reviewer"},
    "assessments:supervision_finding": {"other_reviewer"},
    "assessments:supervision_file_remove": {"other_reviewer"},
    **{f"assessments:notice_{act}": {"admin"} for act in ("edit", "publish", "withdraw", "urge")},
    "assessments:case_add": OWN_WRITERS,
    "assessments:case_edit": OWN_WRITERS | LEADS,
    "assessments:case_act": LEADS,
    "assessments:review_nominate": {"reviewer"},
    "assessments:plan_act": LEADS,
    "assessments:plan_edit": OWN_WRITERS,
    "assessments:plan_urge": URGERS,
    **{
        f"assessments:campaign_{name}": {"admin"}
        for name in (*CAMPAIGN_PAGES, "archive")
        if name != "list"
    },
    "assessments:calendar_renew": EVERYBODY,
    "assessments:assignment_list": set(),
    "assessments:assignment_plan": LEADS,
    "assessments:review_recuse": {"reviewer"},
    "assessments:review_confirm": {"reviewer"},
    "assessments:review_replace": LEADS,
    "assessments:recusal_list": LEADS,
    "assessments:recusal_lift": LEADS,
    "assessments:export_new": LEADS,
    "assessments:export_preset_forget": {"admin"},
    "assessments:export_act": {"admin"},
    **{f"organizations:{name}": ADMINS for name in ("add", "edit", "move", "merge", "dissolve")},
    "organizations:messages_read": EVERYBODY,
    "organizations:message_read": {"head"},
    "organizations:imports": ANY_ADMINS,
    "organizations:import_confirm": {"admin"},
    "organizations:import_discard": {"admin"},
    "organizations:account_add": ANY_ADMINS,
    "organizations:account_hand_over": ADMINS,
    **{f"organizations:account_{name}": ADMINS for name in ACCOUNT_ACTS},
    "organizations:account_slips": ANY_ADMINS,
    "assessments:evidence_edit": OWN_WRITERS,
    "assessments:evidence_use": OWN_WRITERS,
    "assessments:evidence_delete": OWN_WRITERS,
    "assessments:indicator_evidence": OWN_WRITERS,
    "assessments:library": LIBRARY_WRITERS,
    "password_change": EVERYBODY,
    "profile": EVERYBODY,
    "sessions_end": EVERYBODY,
    "identity_switch": EVERYBODY,
    "alive": EVERYBODY,
    "second_factor_enrol": EVERYBODY,
    "assessments:survey": {"reporter", "head"},
    "assessments:survey_ballot": EVERYBODY,
}
#: A signed-in user is led on, not refused.
LED_ON = {"login": "GET", "logout": "POST"}
#: Answers a script: without a session it says so, and leads nowhere.
FOR_SCRIPTS = {"assessments:upload_begin": 401, "assessments:upload": 401}
#: Open to all where the notice is; this one is for the unions only.
NOT_FOUND_SIGNED_OUT = {"assessments:notice", "assessments:notice_file"}
#: Without signing in.
OPEN_TO_ALL = {
    "assessments:calendar_file",
    "assessments:policy",
    "assessments:help",
    "assessments:appeal_look_up",
    "assessments:case",
    "assessments:case_gallery",
    "assessments:case_photo",
    "assessments:case_thumbnail",
    "assessments:certificate_look_up",
    "assessments:honours",
    "assessments:notice_list",
    "assessments:result_object",
    "assessments:results",
    "assessments:survey_ballot",
    "assessments:verify",
    "assessments:verify_code",
    "health",
    "language",
    "words",
    "login",
    "logout",
}


def portal_names(resolver=None, namespace=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if inner not in ("admin:", "api:"):  # the API knows no session: test_api.py
                yield from portal_names(pattern, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_address_is_in_the_table():
    assert set(portal_names()) | {"admin:index"} == set(MAY_GET)


@dataclass
class Scene:
    """Everybody, signed in, and the address of everything about the target."""

    users: dict[str, User]
    clients: dict[str, Client]
    addresses: dict[str, str]


def people(city, target):
    """The people of the city as they stand to the target: those of `make_city` for the grassroots
    union; one step further up for the township, which has somebody below it."""
    users = city.users()
    if target == city.own:
        superior, sibling, foreign, below = city.township, city.sibling, city.foreign, None
    else:
        superior, sibling, foreign, below = (
            city.county,
            make_organization(Tier.TOWNSHIP, city.county),
            city.other_township,
            city.own,
        )
        for name, role in (("reporter", Role.REPORTER), ("own_viewer", Role.VIEWER)):
            users[name] = make_user((target, role))
        users |= {
            "head": city.township_head,
            "township_head": city.county_head,
            "county_head": make_user((city.city, Role.HEAD)),
            "sibling_head": make_user((sibling, Role.HEAD)),
            "foreign_head": make_user((foreign, Role.HEAD)),
        }
    places = {"superior": superior, "sibling": sibling, "foreign": foreign, "subordinate": below}
    for relation, place in places.items():
        for role in (Role.REPORTER, Role.HEAD, Role.VIEWER):
            if place and f"{relation}_{role.lower()}" in EVERYBODY - users.keys():
                users[f"{relation}_{role.lower()}"] = make_user((place, role))
    users["foreign_admin"] = make_user((city.other_county, Role.ADMIN))
    return users


def foreign_copy(city, campaign, target):
    """What a union of the same tier in the other county has handed in."""
    organization = city.foreign if target == city.own else city.other_township
    return make_self_assessment(city, campaign, State.SUBMITTED, organization=organization)


@pytest.fixture(params=["grassroots", "township"])
def scene(request, city):
    target = city.own if request.param == "grassroots" else city.township
    users = people(city, target)
    assert set(users) == EVERYBODY - (SUBORDINATES if target == city.own else set())
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(
        city, campaign, State.UNDER_REVIEW, organization=target, head=users["head"]
    )
    review = assessment.reviews.get()
    file = Evidence.objects.filter(organization=target).first()
    account = make_user((target, Role.REPORTER), name="被管理的人")
    rows = f"代码,名称,层级,上级工会\nN1,新工会,基层,{city.township.code}\n"
    imported = previews.upload(SimpleUploadedFile("名册.csv", rows.encode()), by=city.admin)
    voted_on = Indicator.objects.get(
        numerator_label="满意票数", criterion__rubric=assessment.rubric
    )
    survey = Survey.objects.create(
        self_assessment=assessment,
        indicator=voted_on,
        token="ballot-token",
        mode="CODES",
        eligible=10,
        opened_at=timezone.now(),
        closes_at=timezone.now(),
        opened_by=users["head"],
    )
    alike = factories.make_flag(assessment, foreign_copy(city, campaign, target))
    asked = extensions.ask(
        campaign,
        target,
        until=campaign.submission_deadline + dt.timedelta(days=1),
        reason="停电",
        by=users["head"],
    )
    stood_back = Recusal.objects.create(
        reviewer=make_user((city.city, Role.REVIEWER)), organization=city.foreign, reason="亲属"
    )
    run = AssignmentRun.objects.create(
        campaign=campaign,
        seed=1,
        by=users["admin"],
        scope="全部",
        placed=0,
        unplaced=0,
        digest="",
        inputs={},
        result={"gets": [], "missing": []},
    )
    elsewhere = make_organization(Tier.GRASSROOTS, city.other_county)
    decided = make_self_assessment(city, campaign, State.DECIDED, organization=elsewhere)
    listed = make_self_assessment(
        city,
        campaign,
        State.REVIEWED,
        organization=make_organization(Tier.GRASSROOTS, city.other_county),
    )
    batch, _ = deciding.prepare(
        campaign, SelfAssessment.objects.filter(pk=listed.pk), "名单", users["admin"]
    )
    visit = inspecting.add(assessment, "群众反映", users["admin"])
    inspecting.schedule(
        visit,
        inspectors=[users["other_reviewer"]],
        planned_on=timezone.localdate(),
        announced=True,
        by=users["admin"],
    )
    picture = inspecting.add_photo(
        visit, voted_on, SimpleUploadedFile("现场.png", PNG), users["admin"]
    )
    lot = InspectionDraw.objects.create(
        campaign=campaign, seed=1, by=users["admin"], strata=[], digest=""
    )
    chosen = {"year": campaign.year, "place": "", "sheets": ["counties"], "columns": []}
    export = exporting.request(users["admin"], chosen)
    preset = users["admin"].export_presets.create(name="常用", settings={})
    title = factories.make_recognition(decided, users["admin"])
    recommended = factories.make_recommendation(
        make_self_assessment(
            city,
            campaign,
            State.FINAL,
            organization=make_organization(Tier.GRASSROOTS, city.other_county),
        ),
        users["admin"],
        users["lead"],
    )
    notice = factories.make_notice(users["admin"])
    enclosed = notices.attach(notice, SimpleUploadedFile("附件.png", PNG), users["admin"])
    plan = factories.make_plan(
        campaign, city.own, city.head, PlanState.RETURNED, SimpleUploadedFile("方案.pdf", PDF)
    )
    case = factories.make_case(city)
    photo = cases.add_photo(case, SimpleUploadedFile("照片.png", PNG), city.head)
    factories.lead_case(case, city, CaseState.PUBLISHED)
    published = make_self_assessment(
        city,
        campaign,
        State.PUBLISHED,
        organization=make_organization(Tier.GRASSROOTS, city.other_county),
    )
    shown = published.published_results.get()
    objection = appeals.file(
        shown, AppealKind.OBJECTION, {"text": "不符。"}, SimpleUploadedFile("图.png", PNG), None
    )
    supervised = factories.make_round(
        users["admin"], campaign, target, members=[users["other_reviewer"]]
    )
    supervised_visit = supervised.visits.get()
    seen_there = factories.make_finding(
        supervised_visit, users["other_reviewer"], SimpleUploadedFile("现场.png", PNG)
    )
    factories.feed_back(supervised_visit, users["other_reviewer"])
    reading, _ = api_clients.issue(
        name="数据平台",
        contact="张工",
        organization=city.city,
        scopes=["results"],
        expires_on=timezone.localdate(),
        by=users["admin"],
    )
    original = Rubric.objects.get(tier=Tier.COUNTY, version=1)
    revised = rubric_editing.copy(original, "修订稿", users["admin"])
    message = users["head"].notifications.first()
    following = setting_up.create(campaign.year + 1, "下一年", campaign, users["admin"])
    timetable.renew_address(users["head"])
    arguments = {
        "organizations:api_client_renew": [reading.pk],
        "organizations:api_client_revoke": [reading.pk],
        "organizations:message": [message.pk],
        "organizations:message_read": [message.pk],
        "assessments:self_assessment_detail": [assessment.pk],
        "assessments:self_assessment_criterion": [assessment.pk, 1],
        "assessments:self_assessment_answer": [assessment.pk, voted_on.code],
        "assessments:self_assessment_ask_to_sign": [assessment.pk],
        "assessments:extension_ask": [campaign.year, target.pk],
        "assessments:extension_answer": [asked.pk],
        "assessments:form_pdf": [assessment.pk],
        "assessments:form_word": [assessment.pk],
        "assessments:sealed_scan": [assessment.pk],
        "assessments:proxy_begin": [campaign.year, target.pk],
        "assessments:proxy_end": [assessment.pk],
        "assessments:submit_on_paper": [assessment.pk],
        "assessments:verify_code": [assessment.revisions.get().code],
        "assessments:self_assessment_history": [assessment.pk],
        "assessments:self_assessment_compare": [assessment.pk],
        "assessments:self_assessment_revision": [assessment.pk, 1],
        "assessments:self_assessment_replies": [assessment.pk],
        "assessments:self_assessment_return": [assessment.pk],
        "assessments:self_assessment_act": [assessment.pk, "begin-review"],
        "assessments:indicator_evidence": [assessment.pk, voted_on.code],
        "assessments:upload": ["00000000-0000-4000-8000-000000000000"],
        "assessments:review_detail": [review.pk],
        "assessments:review_criterion": [review.pk, 1],
        "assessments:review_score": [review.pk, voted_on.code],
        "assessments:review_aside": [review.pk, 1],
        "assessments:review_resume": [review.pk],
        "assessments:review_next": [review.pk],
        "assessments:review_complete": [review.pk],
        "assessments:phrase": [phrases.keep(users["admin"], "材料不全。", shared=True).pk],
        "assessments:review_similar": [review.pk],
        "assessments:self_assessment_similar": [assessment.pk],
        "assessments:similarity": [alike.pk],
        "assessments:assignment_run": [run.pk],
        "assessments:inspection_draw": [lot.pk],
        "assessments:inspection_lot": [lot.pk],
        "assessments:inspection_add": [assessment.pk],
        "assessments:inspection": [visit.pk],
        "assessments:inspection_minutes": [visit.pk],
        "assessments:inspection_criterion": [visit.pk, 1],
        "assessments:inspection_photo": [picture.pk],
        "assessments:inspection_photo_remove": [picture.pk],
        "assessments:decision_batch": [batch.pk],
        "assessments:batch_meeting": [batch.pk],
        "assessments:batch_letters": [batch.pk],
        "assessments:batch_change": [batch.pk, "refresh"],
        "assessments:pending_decision": [batch.pk, batch.lines.get().pk],
        "assessments:decision_letter": [decided.decisions.get().pk],
        "assessments:publicity_publish": [campaign.year],
        "assessments:publicity": [shown.period_id],
        "assessments:appeal": [objection.pk],
        "assessments:appeal_attachment": [objection.pk],
        "assessments:union_appeal": [assessment.pk],
        "assessments:result_object": [shown.pk],
        "assessments:recognition": [title.pk],
        "assessments:recognition_award": [campaign.year],
        "assessments:certificate": [title.pk],
        "assessments:certificates": [campaign.year],
        "assessments:certified_letters": [campaign.year],
        "assessments:recognition_papers": [campaign.year],
        "assessments:campaign": [campaign.year],
        **{f"assessments:campaign_{one}": [following.year] for one in ("days", "rubrics", "rules")},
        "assessments:campaign_open": [following.year],
        **{
            f"assessments:campaign_{one}": [campaign.year] for one in ("close", "extend", "archive")
        },
        "assessments:calendar_file": [timetable.key_of(users["head"])],
        **{
            f"assessments:recommendation_{page}": [campaign.year]
            for page in ("draw", "confirm", "summary", "forms")
        },
        **{
            f"assessments:rubric{page}": [revised.pk]
            for page in ("", "_compare", "_copy", "_remove", "_json", "_workbook")
        },
        "assessments:rubric_criterion": [revised.pk, 1],
        "assessments:recommendation": [recommended.pk],
        "assessments:recommendation_form": [recommended.pk],
        "assessments:case": [case.pk],
        "assessments:case_record": [case.pk],
        "assessments:case_edit": [case.pk],
        "assessments:case_act": [case.pk, "take-down"],
        "assessments:case_add": [city.own.pk],
        "assessments:case_photo": [photo.pk],
        "assessments:case_thumbnail": [photo.pk],
        "assessments:review_nominate": [review.pk, voted_on.code],
        "assessments:plan": [plan.pk],
        "assessments:plan_receipt": [plan.pk],
        "assessments:plan_file": [plan.versions.first().pk],
        "assessments:plan_act": [plan.pk, "accept"],
        "assessments:plan_edit": [campaign.year, city.own.pk],
        "assessments:notice": [notice.pk],
        "assessments:notice_file": [enclosed.pk],
        **{
            f"assessments:notice_{act}": [notice.pk]
            for act in ("edit", "publish", "withdraw", "receipts", "urge")
        },
        **{
            f"assessments:supervision{page}": [supervised.pk] for page in ("", "_edit", "_team_add")
        },
        "assessments:supervision_act": [supervised.pk, "close"],
        "assessments:supervision_team": [supervised.teams.get().pk],
        "assessments:supervision_places": [supervised.teams.get().pk],
        "assessments:supervision_visit": [supervised_visit.pk],
        "assessments:supervision_visit_drop": [supervised_visit.pk],
        "assessments:supervision_finding_add": [supervised_visit.pk],
        "assessments:supervision_finding": [seen_there.pk],
        "assessments:supervision_file": [seen_there.files.get().pk],
        "assessments:supervision_file_remove": [seen_there.files.get().pk],
        "assessments:review_recuse": [review.pk],
        "assessments:review_confirm": [review.pk],
        "assessments:review_replace": [review.pk],
        "assessments:recusal_lift": [stood_back.pk],
        "assessments:arbitrate": [assessment.pk, 1],
        **{
            f"assessments:{name}": [assessment.pk, voted_on.code]
            for name in ("survey", "survey_codes", "survey_close", "survey_cancel", "survey_adopt")
        },
        "assessments:self_assessment_endorse": [assessment.pk],
        "assessments:self_assessment_endorse_scores": [assessment.pk, 1],
        "assessments:rank": [target.parent.pk],
        "assessments:survey_ballot": [survey.token],
        "assessments:export_preset_forget": [preset.pk],
        "assessments:export_status": [export.pk],
        "assessments:export_file": [export.pk],
        "assessments:export_act": [export.pk, "delete"],
        "organizations:account_revoke": [account.pk, account.memberships.get().pk],
    }
    arguments |= {
        f"assessments:evidence_{page}": [file.pk]
        for page in ("download", "content", "thumbnail", "view", "edit", "use", "delete")
    }
    for name in MAY_GET:
        one = name.removeprefix("organizations:")
        if one in ("detail", "add", "edit", "move", "merge", "dissolve", "reactivate"):
            arguments[name] = [target.pk]
        elif one in ("import_detail", "import_confirm", "import_discard"):
            arguments[name] = [imported.pk]
        elif one.startswith("account") and one not in ("accounts", "account_add", "account_slips"):
            arguments.setdefault(name, [account.pk])
    addresses = {name: reverse(name, args=arguments.get(name)) for name in MAY_GET}
    clients = {who: Client() for who in users}
    for who, client in clients.items():
        client.force_login(users[who])
    return Scene(users, clients, addresses)


def expected(scene, name, table):
    """Who of this scene, where the target's own place makes a difference to the table."""
    everybody = table.get(name, set()) & scene.clients.keys()
    is_township = "subordinate_head" in scene.clients
    if name == "assessments:proxy_begin" and is_township:
        return everybody - {"county_head"}  # who is of the city here, which fills in for nobody
    if name == "assessments:dashboard":  # who answers for unions below theirs
        return {
            who
            for who in everybody
            if any(
                one.role in SUBTREE_ROLES and one.organization.tier != Tier.GRASSROOTS
                for one in scene.users[who].roles
            )
        }
    if name == "assessments:supervision_list":  # who is of the city, or of a county
        return {
            who
            for who in everybody
            if any(
                one.organization.tier in (Tier.CITY, Tier.COUNTY) for one in scene.users[who].roles
            )
        }
    if name == "organizations:add" and not is_township:
        return set()  # a grassroots union takes no unions below it
    if name in ("assessments:case_add", "assessments:case_edit") and is_township:
        # Of the grassroots union below.
        return (everybody - OWN_WRITERS) | {"subordinate_head", "subordinate_reporter"}
    if name == "assessments:plan_edit" and is_township:  # which files none
        return {"subordinate_head", "subordinate_reporter"}
    if name in ("assessments:urge", "assessments:plan_urge") and is_township:
        # Everybody who writes here has unions below, but for the head of the city.
        others = {
            f"{who}_{role}" for who in ("sibling", "foreign") for role in ("head", "reporter")
        }
        return (everybody | OWN_WRITERS | others) - {"county_head"}
    seen_from_the_city = (
        "decision_letter",
        "recognition",
        "certificate",
        "recommendation",
        "recommendation_form",
        "supervision",
        "progress_report",
    )
    if name.split(":")[-1] in seen_from_the_city and is_township and table is MAY_GET:
        return everybody | {"county_head"}  # who is of the city here
    if name == "assessments:library" and is_township:
        return everybody - {"county_head"}  # who is of the city here, which is not assessed
    if name == "assessments:similarity" and is_township and "leader" in everybody:
        return everybody | {"county_head"}  # who is of the city here, and sees both counties
    return everybody


def test_get(scene):
    for name, url in scene.addresses.items():
        got = set()
        for who, client in scene.clients.items():
            status = client.get(url).status_code
            if name in LED_ON or not MAY_GET[name]:
                assert status in (302, 404, 405), (name, who, status)
            else:
                assert status in (200, 404), (name, who, status)
            if status == 200:
                got.add(who)
        assert got == expected(scene, name, MAY_GET), name


def test_post(scene):
    for name, url in scene.addresses.items():
        if name in LED_ON or name.startswith("admin:"):
            continue
        may = expected(scene, name, MAY_POST)
        for who, client in scene.clients.items():
            with transaction.atomic():  # what one may do must not change what the next one finds
                status = client.post(url, {}).status_code
                transaction.set_rollback(True)
            refused = (404, 405)
            if who in may:
                assert status not in refused, (name, who, status)
                assert status < 500
            else:
                assert status in refused, (name, who, status)


def test_without_signing_in(client, scene):
    for name, url in scene.addresses.items():
        for method in (client.get, client.post):
            response = method(url)
            if name in FOR_SCRIPTS:
                assert response.status_code in (FOR_SCRIPTS[name], 405), name
            elif name in NOT_FOUND_SIGNED_OUT:
                assert response.status_code in (404, 405), name
            elif name in OPEN_TO_ALL:
                assert response.status_code in (200, 302, 405), name
            else:
                assert response.status_code == 302, name
                assert "/login/" in response.url, name


def test_in_english(scene):
    """Each page once, by somebody who may open it: every word finds its placeholders."""
    for name, url in scene.addresses.items():
        readers = sorted(expected(scene, name, MAY_GET))
        if not readers or name in LED_ON:
            continue
        client = scene.clients[readers[0]]
        client.cookies["django_language"] = "en"
        response = client.get(url)
        assert response.status_code == 200, (name, readers[0])
        if response.headers["Content-Type"].startswith("text/html") and not response.streaming:
            page = response.content.decode()
            if "<html" in page and not name.startswith("admin:"):
                assert '<html lang="en"' in page, name
                assert "“六好”工会创建平台" not in page, name
