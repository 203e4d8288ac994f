"""代填: a union above fills in for a small one; its own head signs, on the portal or on paper."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from assessments import answering, demo, evidence, proxies, versions, worksheet
from assessments.choices import Action, State
from assessments.entries import Entry
from assessments.models import Answer, ProxyFilling, SealedScan, SelfAssessment
from organizations import audit
from organizations.choices import Role
from organizations.models import Membership, Organization, User
from tests.factories import (
    PASSWORD,
    give_password,
    make_self_assessment,
    make_user,
    perform,
    today,
)
from tests.uploads import PDF

pytestmark = pytest.mark.django_db
REASON = "该工会没有电脑"


def fresh(user):
    return User.objects.get(pk=user.pk)


@pytest.fixture
def proxied(city, campaign):
    """The township fills in for the grassroots union, which has begun nothing."""
    return proxies.begin(campaign, city.own, REASON, fresh(city.township_head))


def begin_url(campaign, organization):
    return reverse("assessments:proxy_begin", args=[campaign.year, organization.pk])


def page(assessment, name, *more):
    return reverse(f"assessments:{name}", args=[assessment.pk, *more])


def write(assessment, by, account):
    line = worksheet.load(assessment)[0].lines[0]
    stored = versions.entry_of(line.answer)
    entry = Entry(stored.rating, dict(stored.texts) | {"account": account})
    change = answering.Change(line.indicator, entry, stored.fingerprint)
    return answering.save(assessment, [change], fresh(by))


# --- Who, and when --------------------------------------------------------------------------------


def test_a_superior_begins_with_a_reason(client, city, campaign):
    client.force_login(city.township_head)
    assert "代填" in client.get(reverse("assessments:oversight")).content.decode()
    url = begin_url(campaign, city.own)
    assert "请填写代填原因。" in client.post(url, {"reason": "  "}).content.decode()
    assert not ProxyFilling.objects.exists()
    response = client.post(url, {"reason": REASON}, follow=True)
    assert "正在为" in response.content.decode()
    filling = ProxyFilling.objects.get()
    assert (filling.organization, filling.reason) == (city.township, REASON)
    assessment = filling.self_assessment
    assert [e.action for e in audit.events_of(assessment).order_by("number")] == [
        "START",
        "PROXY_OPENED",
    ]
    assert "城关镇工会委员会代填" in client.get(reverse("assessments:oversight")).content.decode()


@pytest.mark.parametrize("name", ["county_head", "township_head"])
def test_any_union_above_it_may(client, city, campaign, name):
    client.force_login(getattr(city, name))
    assert client.get(begin_url(campaign, city.own)).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["head", "reporter", "own_viewer", "sibling_head", "foreign_head", "county_admin", "reviewer", "lead", "admin", "leader"],
)  # fmt: skip
def test_nobody_else_may(client, city, campaign, name):
    client.force_login(getattr(city, name))
    assert client.get(begin_url(campaign, city.own)).status_code == 404
    assert client.post(begin_url(campaign, city.own), {"reason": REASON}).status_code == 404


def test_not_for_what_was_handed_in_and_not_too_late(client, city, campaign):
    make_self_assessment(city, campaign, State.SUBMITTED)
    client.force_login(city.township_head)
    response = client.post(begin_url(campaign, city.own), {"reason": REASON})
    assert response.status_code == 409
    assert "不能代填" in response.content.decode()
    assert REASON in response.content.decode()
    type(campaign).objects.update(submission_deadline=today() - dt.timedelta(days=1))
    response = client.post(begin_url(campaign, city.sibling), {"reason": REASON})
    assert "不在填报时间内" in response.content.decode()


def test_one_at_a_time(client, city, campaign, proxied):
    proxies.begin(campaign, city.own, "再点一次", fresh(city.township_head))
    client.force_login(city.county_head)
    response = client.post(begin_url(campaign, city.own), {"reason": REASON})
    assert "“城关镇工会委员会”正在代填。" in response.content.decode()
    assert ProxyFilling.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        ProxyFilling.objects.create(
            self_assessment=proxied,
            organization=city.county,
            reason="又",
            opened_by=city.county_head,
        )


# --- Filling in -----------------------------------------------------------------------------------


def test_the_draft_is_closed_before_open_meanwhile_and_closed_again(client, city, campaign):
    assessment = make_self_assessment(city, campaign)
    criterion = page(assessment, "self_assessment_criterion", 1)
    client.force_login(city.township_head)
    assert client.get(criterion).status_code == 404
    proxies.begin(campaign, city.own, REASON, fresh(city.township_head))
    assert "正在为" in client.get(criterion).content.decode()
    client.force_login(city.county_head)
    assert client.get(criterion).status_code == 404
    client.force_login(city.head)
    assert client.post(page(assessment, "proxy_end")).status_code == 302
    client.force_login(city.township_head)
    assert client.get(criterion).status_code == 404


def test_both_write_and_each_change_has_its_author(client, city, proxied):
    write(proxied, city.township_head, "镇里填的")
    write(proxied, city.reporter, "自己改的")
    history = page(proxied, "self_assessment_history")
    for user in (city.head, city.township_head):
        client.force_login(user)
        html = client.get(history).content.decode().split('id="changes"')[1]
        assert html.index("王填报") < html.index("镇主席")


def test_files_go_to_the_unions_own_library(client, city, proxied):
    indicator = worksheet.load(proxied)[0].lines[0].indicator
    kept = evidence.add(
        proxied, indicator, SimpleUploadedFile("a.pdf", PDF), fresh(city.township_head)
    )
    assert kept.organization == city.own
    library = reverse("assessments:evidence_edit", args=[kept.pk])
    client.force_login(city.township_head)
    assert client.get(library).status_code == 200
    proxies.end(proxied, fresh(city.head))
    assert client.get(library).status_code == 404


def test_what_is_typed_after_it_was_ended_is_told_and_kept_on_the_page(client, city, proxied):
    client.force_login(city.township_head)
    url = page(proxied, "self_assessment_criterion", 1)
    line = worksheet.load(proxied)[0].lines[0]
    seen = versions.entry_of(line.answer).fingerprint
    proxies.end(proxied, fresh(city.head))
    code = line.indicator.code
    response = client.post(url, {f"{code}-seen": seen, f"{code}-account": "正在输入的说明"})
    assert response.status_code == 409
    assert "没有保存" in response.content.decode()
    assert "正在输入的说明" in response.content.decode()
    assert not Answer.objects.filter(account="正在输入的说明").exists()


@pytest.mark.parametrize("name", ["head", "reporter", "township_head"])
def test_either_side_ends_it(client, city, proxied, name):
    client.force_login(getattr(city, name))
    assert client.post(page(proxied, "proxy_end"), follow=True).status_code == 200
    filling = ProxyFilling.objects.get()
    assert filling.ended_by == getattr(city, name)
    assert audit.events_of(proxied).filter(action="PROXY_ENDED").exists()
    assert client.post(page(proxied, "proxy_end")).status_code == 404


@pytest.mark.parametrize("name", ["own_viewer", "county_head", "sibling_head", "lead", "admin"])
def test_nobody_else_ends_it(client, city, proxied, name):
    client.force_login(getattr(city, name))
    assert client.post(page(proxied, "proxy_end")).status_code == 404


# --- Signing --------------------------------------------------------------------------------------


def fill(proxied, city):
    demo.fill_in(proxied, fresh(city.township_head), Decimal(1))


def test_the_unions_head_signs_on_the_portal_and_it_is_marked_everywhere(client, city, proxied):
    fill(proxied, city)
    client.force_login(city.head)
    confirm = page(proxied, "self_assessment_act", "submit")
    assert "正在为" in client.get(confirm).content.decode()
    perform(proxied, Action.SUBMIT, city.head)
    assert proxied.revisions.get().filled_by_proxy == "城关镇工会委员会"
    for user in (city.head, city.township_head, city.lead):
        client.force_login(user)
        html = client.get(proxied.get_absolute_url()).content.decode()
        assert "由城关镇工会委员会代填" in html
        assert "申报工会负责人已在网上签批" in html
    assert audit.events_of(proxied).get(action="SUBMIT").details["proxy"] == "城关镇工会委员会"


def test_two_unions_of_the_longest_names_have_filled_in(client, city, campaign, proxied):
    longest = Organization._meta.get_field("name").max_length
    for n, union in enumerate((city.township, city.county)):
        Organization.objects.filter(pk=union.pk).update(name=f"{n}" + "长" * (longest - 1))
    fill(proxied, city)
    proxies.end(proxied, fresh(city.township_head))
    proxies.begin(campaign, city.own, REASON, fresh(city.county_head))
    perform(proxied, Action.SUBMIT, city.head)
    revision = proxied.revisions.get()
    names = [union.name for union in Organization.objects.filter(name__endswith="长")]
    assert sorted(revision.filled_by_proxy.split("、")) == sorted(names)
    revision.clean_fields()  # SQLite does not count characters, PostgreSQL does


def test_the_superior_cannot_sign_for_the_union_on_the_portal(city, proxied):
    fill(proxied, city)
    with pytest.raises(Exception, match="不能进行这项操作"):
        perform(proxied, Action.SUBMIT, city.township_head)


def paper(client, assessment, **changes):
    url = page(assessment, "submit_on_paper")
    seen = client.get(url).context["seen"]
    fields = {
        "seen": seen,
        "signatory": "李主席",
        "confirmed": "on",
        "password": PASSWORD,
        "scan": SimpleUploadedFile("盖章.pdf", PDF),
    }
    fields |= changes
    return client.post(url, {name: value for name, value in fields.items() if value is not None})


def test_what_was_signed_on_paper_is_handed_in_by_the_superior(client, city, proxied):
    fill(proxied, city)
    client.force_login(give_password(city.township_head))
    assert paper(client, proxied).status_code == 302
    proxied.refresh_from_db()
    assert proxied.state == State.SUBMITTED
    revision = proxied.revisions.get()
    assert (revision.signatory, revision.submitted_by) == ("李主席", city.township_head)
    scan = SealedScan.objects.get()
    assert (scan.revision, scan.evidence.organization) == (revision, city.own)
    html = client.get(proxied.get_absolute_url()).content.decode()
    assert "李主席在盖章的纸质表上签字" in html
    assert "凭盖章纸质表代为提交" in html
    client.force_login(city.lead)
    assert "李主席在盖章的纸质表上签字" in client.get(proxied.get_absolute_url()).content.decode()
    client.logout()
    on_paper = client.get(reverse("assessments:verify_code", args=[revision.code]))
    assert "城关镇工会委员会（李主席在纸质表上签字）" in on_paper.content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scan": None}, "请选择扫描件。"),
        ({"scan": SimpleUploadedFile("表.docx", b"PK\x03\x04 no")}, "表.docx"),
        ({"signatory": ""}, "请填写在纸质表上签字的负责人。"),
        ({"signatory": "长" * 41}, "最多 40 字"),
        ({"password": "wrong"}, "密码不正确"),
        ({"password": None}, "请输入您的登录密码。"),
        ({"confirmed": None}, "请勾选确认后再提交。"),
    ],
)
def test_without_paper_nothing_is_handed_in(client, city, proxied, changes, message):
    fill(proxied, city)
    client.force_login(give_password(city.township_head))
    assert message in paper(client, proxied, **changes).content.decode()
    proxied.refresh_from_db()
    assert (proxied.state, SealedScan.objects.count()) == (State.DRAFT, 0)


def test_an_unfinished_one_is_refused_with_everything_that_is_missing(client, city, proxied):
    client.force_login(give_password(city.township_head))
    response = paper(client, proxied)
    assert response.status_code == 409
    assert "尚未填写" in response.content.decode()


def test_what_changed_since_the_page_was_opened_is_not_handed_in(client, city, proxied):
    fill(proxied, city)
    client.force_login(give_password(city.township_head))
    seen = client.get(page(proxied, "submit_on_paper")).context["seen"]
    write(proxied, city.reporter, "之后改的")
    assert "内容有了变化" in paper(client, proxied, seen=seen).content.decode()
    proxied.refresh_from_db()
    assert proxied.state == State.DRAFT


@pytest.mark.parametrize("role", [Role.REPORTER, Role.VIEWER])
def test_only_the_head_of_the_union_that_fills_in_hands_in(client, city, proxied, role):
    user = make_user((city.township, role))
    client.force_login(user)
    assert client.get(page(proxied, "submit_on_paper")).status_code == 404


@pytest.mark.parametrize(
    "name", ["head", "reporter", "county_head", "sibling_head", "lead", "admin"]
)
def test_nobody_else_hands_in_on_paper(client, city, proxied, name):
    client.force_login(getattr(city, name))
    assert client.get(page(proxied, "submit_on_paper")).status_code == 404


def test_who_handed_in_on_paper_may_withdraw_it(city, proxied):
    fill(proxied, city)
    scan = proxies.store_scan(
        proxied, SimpleUploadedFile("盖章.pdf", PDF), fresh(city.township_head)
    )
    perform(proxied, Action.SUBMIT_ON_PAPER, city.township_head, signatory="李主席", scan=scan)
    perform(proxied, Action.WITHDRAW, city.township_head)
    assert proxied.state == State.DRAFT


def test_a_year_without_proxy_is_not_marked(city, campaign):
    assessment = make_self_assessment(city, campaign, State.SUBMITTED)
    assert assessment.revisions.get().filled_by_proxy == ""


def test_a_head_of_both_unions_signs_as_the_unions_own(city, proxied):
    Membership.objects.create(user=city.township_head, organization=city.own, role=Role.HEAD)
    fill(proxied, city)
    perform(proxied, Action.SUBMIT, city.township_head)
    assert SelfAssessment.objects.get(pk=proxied.pk).state == State.SUBMITTED


# --- The workbench --------------------------------------------------------------------------------


def test_the_workbench_of_either_side_shows_it(client, city, campaign, proxied):
    client.force_login(city.township_head)
    content = client.get("/").content.decode()
    assert f"正在为“{city.own}”代填" in content
    assert proxied.get_absolute_url() in content
    client.force_login(city.head)
    assert (
        f"“{city.township}”正在代填，仍由本会负责人确认签批。" in client.get("/").content.decode()
    )
    client.force_login(city.county_head)
    assert "代填" not in client.get("/").content.decode()


def test_several_are_one_line_that_leads_to_the_list(client, city, campaign, proxied):
    proxies.begin(campaign, city.sibling, REASON, fresh(city.township_head))
    client.force_login(city.township_head)
    content = client.get("/").content.decode()
    assert "正在为 2 个下级工会代填" in content
    address = f"{reverse('assessments:oversight')}?lag=proxied"
    assert address in content
    listed = client.get(address).context["organizations"]
    assert {one.pk for one in listed} == {city.own.pk, city.sibling.pk}
    proxies.end(proxied, fresh(city.township_head))
    assert [one.pk for one in client.get(address).context["organizations"]] == [city.sibling.pk]
    assert f"正在为“{city.sibling}”代填" in client.get("/").content.decode()
