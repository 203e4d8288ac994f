"""Every address × everybody: exactly these may open it, all others find nothing.

An address that is missing from the table fails the test.
"""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from assessments.choices import State
from assessments.models import Evidence
from tests import factories
from tests.factories import make_self_assessment

pytestmark = pytest.mark.django_db

OWN = {"reporter", "head", "own_viewer"}
OWN_WRITERS = {"reporter", "head"}
SUPERIORS = {"township_head", "county_head", "county_admin"}
STRANGERS = {"sibling_head", "foreign_head", "nobody", "other_reviewer"}
LEADS = {"lead", "admin"}
CITY = LEADS | {"leader"}
READERS = OWN | SUPERIORS | CITY | {"reviewer"}
EVERYBODY = READERS | STRANGERS
#: Everybody who belongs to a union that is assessed: each has the library of its own.
LIBRARY_READERS = OWN | {"sibling_head", "foreign_head"} | {"township_head", "county_head"}
LIBRARY_WRITERS = LIBRARY_READERS - {"own_viewer"}
REVIEWERS = {"reviewer", "other_reviewer", "lead"}

#: Who may open the address with GET, while the self-assessment is under review.
MAY_GET = {
    "assessments:workbench": EVERYBODY,
    "assessments:policy": EVERYBODY,
    "assessments:self_assessment_start": set(),
    "assessments:self_assessment_detail": READERS,
    "assessments:self_assessment_criterion": READERS,
    "assessments:self_assessment_return": LEADS | {"reviewer", "township_head"},
    "assessments:self_assessment_act": LEADS | {"reviewer"},
    "assessments:evidence_download": READERS,
    "assessments:evidence_content": READERS,
    "assessments:evidence_thumbnail": set(),  # a PDF has none
    "assessments:evidence_view": READERS,
    "assessments:evidence_edit": OWN_WRITERS,
    "assessments:evidence_use": OWN_WRITERS,
    "assessments:evidence_delete": OWN_WRITERS,
    "assessments:indicator_evidence": OWN_WRITERS,
    "assessments:library": LIBRARY_READERS,
    "assessments:upload_begin": set(),
    "assessments:upload": set(),
    "assessments:oversight": EVERYBODY,
    "assessments:review_list": REVIEWERS,
    "assessments:review_detail": {"reviewer"},
    "assessments:review_criterion": {"reviewer"},
    "assessments:assignment_list": LEADS,
    "assessments:decision_list": LEADS,
    "assessments:summary": LEADS,
    "assessments:summary_workbook": LEADS,
    "password_change": EVERYBODY,
    "password_change_done": EVERYBODY,
    "health": EVERYBODY,
    "login": set(),
    "logout": set(),
    "admin:index": {"admin"},
}
#: Addresses that also take a POST, and who gets further than “not found” with an empty one.
MAY_POST = {
    "assessments:self_assessment_start": set(),
    "assessments:self_assessment_criterion": {"reporter", "head"},
    "assessments:self_assessment_return": MAY_GET["assessments:self_assessment_return"],
    "assessments:self_assessment_act": LEADS | {"reviewer"},
    "assessments:review_criterion": {"reviewer"},
    "assessments:assignment_list": set(),
    "assessments:evidence_edit": OWN_WRITERS,
    "assessments:evidence_use": OWN_WRITERS,
    "assessments:evidence_delete": OWN_WRITERS,
    "assessments:indicator_evidence": OWN_WRITERS,
    "assessments:library": LIBRARY_WRITERS,
    "password_change": EVERYBODY,
}
#: A signed-in user is led on, not refused.
LED_ON = {"login": "GET", "logout": "POST"}
#: Answers a script: without a session it says so, and leads nowhere.
FOR_SCRIPTS = {"assessments:upload_begin": 401, "assessments:upload": 401}
#: Without signing in.
OPEN_TO_ALL = {"assessments:policy", "health", "login", "logout"}


def portal_names(resolver=None, namespace=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if inner != "admin:":
                yield from portal_names(pattern, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}"


def test_every_address_is_in_the_table():
    assert set(portal_names()) | {"admin:index"} == set(MAY_GET)


@pytest.fixture
def addresses(city):
    campaign = factories.make_campaign(endorsement=True)
    assessment = make_self_assessment(city, campaign, State.UNDER_REVIEW)
    review = assessment.reviews.get()
    file = Evidence.objects.filter(organization=city.own).first()
    arguments = {
        "assessments:self_assessment_detail": [assessment.pk],
        "assessments:self_assessment_criterion": [assessment.pk, 1],
        "assessments:self_assessment_return": [assessment.pk],
        "assessments:self_assessment_act": [assessment.pk, "begin-review"],
        "assessments:indicator_evidence": [assessment.pk, "G1.01"],
        "assessments:upload": ["00000000-0000-4000-8000-000000000000"],
        "assessments:review_detail": [review.pk],
        "assessments:review_criterion": [review.pk, 1],
        "assessments:summary_workbook": [campaign.year],
    }
    arguments |= {
        f"assessments:evidence_{page}": [file.pk]
        for page in ("download", "content", "thumbnail", "view", "edit", "use", "delete")
    }
    return {name: reverse(name, args=arguments.get(name)) for name in MAY_GET}


def test_get(client, city, addresses):
    users = city.users()
    assert set(users) == EVERYBODY
    for name, url in addresses.items():
        got = set()
        for who, user in users.items():
            client.force_login(user)
            status = client.get(url).status_code
            if name in LED_ON or not MAY_GET[name]:
                assert status in (302, 404, 405), (name, who, status)
            else:
                assert status in (200, 404), (name, who, status)
            if status == 200:
                got.add(who)
        assert got == MAY_GET[name], name


def test_post(client, city, addresses):
    for name, url in addresses.items():
        if name in LED_ON or name.startswith("admin:"):
            continue
        for who, user in city.users().items():
            client.force_login(user)
            status = client.post(url, {}).status_code
            refused = (404, 405)
            if who in MAY_POST.get(name, set()):
                assert status not in refused, (name, who, status)
                assert status < 500
            else:
                assert status in refused, (name, who, status)


def test_without_signing_in(client, addresses):
    for name, url in addresses.items():
        for method in (client.get, client.post):
            response = method(url)
            if name in FOR_SCRIPTS:
                assert response.status_code in (FOR_SCRIPTS[name], 405), name
            elif name in OPEN_TO_ALL:
                assert response.status_code in (200, 302, 405), name
            else:
                assert response.status_code == 302, name
                assert "/login/" in response.url, name
