"""Whoever has not signed in: every address that is open to all, and on none of them anything that is
not published."""

from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, get_resolver, reverse

from assessments import appeals, cases, notices
from assessments.choices import AppealKind, CaseState, State
from assessments.models import (
    CasePhoto,
    ExemplaryCase,
    Notice,
    NoticeFile,
    PublishedResult,
)
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment
from tests.uploads import PNG

pytestmark = pytest.mark.django_db

#: Stands in everything that nobody may see without signing in.
SECRET = "不公开内容"
#: Lists are asked for in ways that their links do not offer.
QUERIES = (
    "",
    f"?q={quote(SECRET)}",
    "?format=xlsx",
    "?show=unread&state=DRAFT&page=2",
    "?year=2000",
)


def open_to_all():
    """The routes that need no account, as the URL configuration has them."""
    found, waiting = [], [("", get_resolver())]
    while waiting:
        route, resolver = waiting.pop()
        for one in resolver.url_patterns:
            path = route + str(one.pattern)
            if not isinstance(one, URLPattern):
                waiting.append((path, one))
            elif getattr(one.callback, "login_required", True) is False:
                found.append("/" + path)
    return found


def addresses():
    shown = (Notice, NoticeFile, ExemplaryCase, CasePhoto, PublishedResult)
    keys = {key for model in shown for key in model.objects.values_list("pk", flat=True)}
    for route in open_to_all():
        if route.startswith(("/admin", "/accounts", "/api")):
            continue
        if "<int:pk>" in route:
            yield from (route.replace("<int:pk>", str(key)) for key in sorted(keys))
        elif "<" in route:
            yield route.partition("<")[0] + "ABCDEFGH" + route.rpartition(">")[2]
        else:
            yield from (route + query for query in QUERIES)


@pytest.fixture
def published(city, campaign):
    """What everybody may read, and beside it everything else that there is."""
    unions = (city.own, city.sibling, city.foreign, city.direct)
    hidden, shown, final, honoured = unions
    type(hidden).objects.filter(pk=hidden.pk).update(name=f"{SECRET}工会委员会")
    make_self_assessment(city, campaign, State.DECIDED, organization=hidden)
    make_self_assessment(city, campaign, State.PUBLISHED, organization=shown)
    result = campaign.self_assessments.get(organization=shown).published_results.get()
    for kind in (AppealKind.OBJECTION, AppealKind.COMMENT):
        values = {"name": SECRET, "contact": f"{SECRET}@example.com", "text": SECRET}
        upload = SimpleUploadedFile(f"{SECRET}.png", PNG)
        appeals.assign(
            appeals.file(result, kind, values, upload, None), city.lead, User(pk=city.lead.pk)
        )
    for union in (final, honoured):
        assessment = make_self_assessment(city, campaign, State.FINAL, organization=union)
    factories.make_recommendation(assessment, city.admin, city.lead)

    notice = {"title": f"{SECRET}的通知", "body": f"<p>{SECRET}</p>"}
    drafts = [
        factories.make_notice(city.admin, published=False, is_public=True, **notice),
        factories.make_notice(city.admin, **notice),
        factories.make_notice(city.admin, is_public=True, **notice),
    ]
    for one in drafts:
        notices.attach(one, SimpleUploadedFile(f"{SECRET}.png", PNG), city.admin)
    notices.withdraw(drafts[2], by=city.admin)
    for state in CaseState:
        if state not in (CaseState.NOMINATED, CaseState.PUBLISHED):
            case = factories.make_case(city, title=SECRET, body=f"<p>{SECRET}</p>")
            cases.add_photo(case, SimpleUploadedFile(f"{SECRET}.png", PNG), city.head)
            factories.lead_case(case, city, state)
    edited = factories.make_case(city, CaseState.FORWARDED, title=SECRET, body=SECRET)
    cases.edit(edited, "发布的经验", "<p>发布的正文</p>", by=city.lead, seen=edited.stamp)
    type(edited).objects.filter(pk=edited.pk).update(organization=honoured)
    edited.refresh_from_db()
    cases.perform(edited, "PUBLISH", by=User.objects.get(pk=city.lead.pk), seen=edited.stamp)
    factories.make_plan(campaign, hidden, city.head)
    round_ = factories.make_round(city.admin, campaign, hidden, members=[city.reviewer])
    factories.make_finding(round_.visits.get(), city.reviewer, text=SECRET)
    factories.feed_back(round_.visits.get(), city.reviewer)
    factories.make_campaign(opened=False, year=campaign.year + 1, name=SECRET)
    factories.make_notice(city.admin, is_public=True, title="发布的通知")
    return {
        "assessments:results": [shown.name, final.name, honoured.name],
        "assessments:honours": [honoured.name],
        "assessments:case_gallery": ["发布的经验"],
        "assessments:notice_list": ["发布的通知"],
    }


def test_nothing_is_public_that_is_not_published(client, city, published):
    """Whatever is asked of the lists, and whatever number is guessed."""
    people = [one.full_name for one in (city.head, city.reporter, city.reviewer)]
    asked = list(addresses())
    assert len(asked) > 60
    for address in asked:
        response = client.get(address, follow=True)
        assert response.status_code in (200, 401, 404, 405, 410), address
        text = (
            b"".join(response.streaming_content) if response.streaming else response.content
        ).decode("utf-8", errors="replace")
        text = text.replace(f'value="{SECRET}"', "")  # what was typed into the search itself
        assert SECRET not in text, address
        assert not [name for name in people if name in text], address
    for name, expected in published.items():
        text = client.get(reverse(name)).content.decode()
        for words in expected:
            assert words in text, (name, words)
