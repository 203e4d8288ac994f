"""WCAG 2.2 AA: axe finds nothing on any page, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from playwright.sync_api import Page

from assessments import evidence, worksheet
from assessments.choices import State
from assessments.models import Evidence
from tests import factories
from tests.browser.conftest import PHONE, Watch
from tests.factories import City
from tests.uploads import PNG

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
    by_user = {
        None: ["/accounts/login/", "/policy/"],
        city.head: [
            "/",
            draft.get_absolute_url(),
            *(f"{draft.get_absolute_url()}criteria/{number}/" for number in range(1, 7)),
            f"{draft.get_absolute_url()}indicators/G1.01/evidence/",
            f"{draft.get_absolute_url()}actions/submit/",
            reverse("assessments:library"),
            *(
                reverse(f"assessments:evidence_{page}", args=[file.pk])
                for page in ("view", "edit", "use", "delete")
            ),
            "/accounts/password/",
            "/no/such/page/",
        ],
        city.sibling_head: [
            returned.get_absolute_url(),
            f"{returned.get_absolute_url()}criteria/1/",
        ],
        city.reviewer: [
            reverse("assessments:review_list"),
            review.get_absolute_url(),
            reverse("assessments:review_criterion", args=[review.pk, 1]),
            reverse("assessments:self_assessment_return", args=[review.self_assessment_id]),
        ],
        city.admin: [
            "/",
            reverse("assessments:oversight"),
            reverse("assessments:assignment_list"),
            reverse("assessments:decision_list"),
            reverse("assessments:summary"),
            reviewed.get_absolute_url(),
            f"{reviewed.get_absolute_url()}actions/decide/",
        ],
    }
    found = []
    for user, addresses in by_user.items():
        page = visit("/policy/", signed_in=user, **device)
        for address in addresses:
            page.goto(address)
            found += findings(page)
    assert found == []
