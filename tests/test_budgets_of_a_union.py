"""The budgets of design.md, section 6, on every page of a union that fills in: at most 12 queries,
and 120 KB of HTML, CSS and JavaScript over the wire."""

import gzip
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from assessments import evidence, proxies, worksheet
from assessments.choices import Action, State
from assessments.models import Answer, Evidence, SelfAssessment
from organizations.models import User
from tests import factories
from tests.factories import make_self_assessment, perform, today
from tests.uploads import PDF, PNG

pytestmark = pytest.mark.django_db
QUERIES = 12
BYTES = 120_000
ASSET = re.compile(r'(?:src|href)="/static/([^"]+\.(?:js|css))"')


def weight(html):
    """The page with its style sheets and scripts, each compressed by itself."""
    assets = [finders.find(path) for path in set(ASSET.findall(html.decode()))]
    assert len(assets) >= 4
    parts = [html]
    for asset in assets:
        with open(asset, "rb") as file:
            parts.append(file.read())
    return sum(len(gzip.compress(part)) for part in parts)


def over(client, pages):
    """The pages beyond a budget, with what they cost."""
    found = {}
    for user, url in pages:
        client.logout()
        if user:
            client.force_login(User.objects.get(pk=user.pk))
        with CaptureQueriesContext(connection) as queries:
            response = client.get(url)
            if response.streaming:
                b"".join(response.streaming_content)
        assert response.status_code == 200, (user, url)
        size = 0 if response.streaming else weight(response.content)
        if len(queries) > QUERIES or size > BYTES:
            found[str(user), url] = (len(queries), size)
    return found


def of(assessment, page, *arguments):
    return reverse(f"assessments:{page}", args=[assessment.pk, *arguments])


def sheets(assessment):
    return [of(assessment, "self_assessment_criterion", number) for number in range(1, 7)]


@pytest.fixture
def last_year(city):
    """Handed in by the union and by its superior."""
    campaign = factories.make_campaign(year=today().year - 1)
    for union, head in ((city.own, city.head), (city.township, city.township_head)):
        made = make_self_assessment(city, campaign, organization=union, head=head)
        perform(made, Action.SUBMIT, head)


def test_while_it_fills_in(client, city, last_year, campaign):
    draft = make_self_assessment(city, campaign)
    Answer.objects.filter(self_assessment=draft).update(carried_over=True)
    first = worksheet.load(draft, 1)[0].lines[0].indicator
    uploads = [SimpleUploadedFile("会议.pdf", PDF), SimpleUploadedFile("照片.png", PNG)]
    evidence.attach(draft, first, uploads, city.head)
    of_union = [campaign.year, city.own.pk]
    pages = [
        "/",
        "/help/",
        draft.get_absolute_url(),
        *sheets(draft),
        of(draft, "self_assessment_act", "submit"),
        of(draft, "indicator_evidence", "G1.01"),
        of(draft, "self_assessment_history"),
        of(draft, "form_pdf"),
        of(draft, "form_word"),
        of(draft, "survey", "G6.05"),
        reverse("assessments:library"),
        *(of(one, "evidence_view") for one in Evidence.objects.filter(organization=city.own)),
        reverse("assessments:extension_ask", args=of_union),
    ]
    by_proxy = reverse("assessments:proxy_begin", args=of_union)
    assert (
        over(client, [*((city.head, url) for url in pages), (city.township_head, by_proxy)]) == {}
    )
    proxies.begin(campaign, city.own, "没有电脑", User.objects.get(pk=city.township_head.pk))
    above = ["/", draft.get_absolute_url(), *sheets(draft), of(draft, "submit_on_paper")]
    assert over(client, [(city.township_head, url) for url in above]) == {}


def test_once_it_was_sent_back(client, city, last_year, campaign):
    """The superior union, whose figures stand beside the sums of its subordinates'."""
    below = make_self_assessment(city, campaign, State.SUBMITTED)
    mine = make_self_assessment(
        city, campaign, State.RETURNED, organization=city.township, head=city.township_head
    )
    factories.answer_remarks(mine, city.township_head)
    perform(mine, Action.SUBMIT, city.township_head)
    factories.send_back(mine, city.lead, ("T2.07", "T2.08"))
    pages = [
        "/",
        mine.get_absolute_url(),
        *sheets(mine),
        of(mine, "self_assessment_history"),
        of(mine, "self_assessment_compare"),
        of(mine, "self_assessment_revision", 1),
        of(mine, "self_assessment_replies"),
        of(mine, "sealed_scan"),
        of(mine, "form_pdf") + "?revision=1",
    ]
    assert over(client, [(city.township_head, url) for url in pages]) == {}
    signed = below.revisions.get()
    anybody = [
        reverse("assessments:verify"),
        reverse("assessments:verify_code", args=[signed.code]),
    ]
    assert over(client, [(None, url) for url in anybody]) == {}


@pytest.mark.parametrize("mode", ["CODES", "DEVICES"])
def test_the_vote_of_its_members(client, city, campaign, mode):
    draft = make_self_assessment(city, campaign)
    url = of(draft, "survey", "G6.05")
    client.force_login(city.head)
    client.post(url, {"mode": mode, "eligible": 2000, "closes_on": today()})
    survey = SelfAssessment.objects.get().surveys.get()
    ballot = reverse("assessments:survey_ballot", args=[survey.token])
    assert over(client, [(city.head, url), (None, ballot)]) == {}
    type(survey).objects.update(satisfied=1500, closed_at=survey.opened_at)
    assert over(client, [(city.head, url), (None, ballot)]) == {}


def test_the_slips_of_a_large_union(client, city, campaign):
    """2 000 codes to be printed: the QR code is on every slip, and in the page once."""
    draft = make_self_assessment(city, campaign)
    client.force_login(city.head)
    fields = {"mode": "CODES", "eligible": 2000, "closes_on": today()}
    client.post(of(draft, "survey", "G6.05"), fields)
    html = client.post(of(draft, "survey_codes", "G6.05")).content
    assert html.count(b"<code>") == 2000
    assert len(html) < 1_000_000
    assert weight(html) < BYTES
