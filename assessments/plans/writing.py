"""Writing a plan: by the outline, or as a file in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import files, kinds, library, permissions, worksheet
from assessments.assigning import NotAllowed
from assessments.choices import CampaignState, PlanState
from assessments.models import Campaign, ImplementationPlan, PlanVersion, StoredFile
from organizations.choices import Tier
from organizations.models import Organization, User

EDITABLE = (PlanState.DRAFT, PlanState.RETURNED)
CLOSED = _("创建活动没有开放，不能报送。")
ACCEPTED = _("Word（doc、docx）、WPS、PDF、OFD")
_KINDS = tuple(
    kind
    for kind, endings in kinds.ENDINGS.items()
    if {".pdf", ".doc", ".docx", ".ofd"} & {*endings}
)
#: For the file dialog of a browser.
ACCEPTED_ENDINGS = ",".join(ending for kind in _KINDS for ending in kinds.ENDINGS[kind])


class Stale(NotAllowed):
    """Somebody else has changed the plan since the page was shown."""


@dataclass(frozen=True)
class Part:
    """A heading of the outline, and what belongs below it."""

    heading: str
    hint: str


def outline(campaign: Campaign, organization: Organization) -> list[Part]:
    """The six criteria of the union's tier between how it is led and how it is secured; an 产业工会,
    which has no criteria of its own, plans for the 基层工会 below it."""
    tier = Tier.GRASSROOTS if organization.tier == Tier.INDUSTRY else organization.tier
    rubric = campaign.policies.filter(tier=tier).values_list("rubric", flat=True).first()
    criteria = worksheet.outline(rubric) if rubric else ()
    return [
        Part("总体安排", gettext("本单位的实际情况、创建目标、组织领导和进度安排。")),
        *(
            Part(
                criterion.title,
                gettext("写明措施、责任人和完成时间。对照：{names}。").format(
                    names=gettext("、").join(one.name for one in found)
                ),
            )
            for criterion, found in criteria
        ),
        Part("宣传和保障", gettext("怎样宣传发动、督促检查，人员和经费怎样保障。")),
    ]


@dataclass(frozen=True)
class Content:
    """What is handed over with a page: `texts` in the order of the outline, an upload in the place of
    the file before, or word that the file shall go."""

    texts: Sequence[str]
    upload: File | None = None
    drop_file: bool = False


def save(
    campaign: Campaign, organization: Organization, content: Content, *, by: User, seen: int
) -> ImplementationPlan:
    """Keep what was written. `seen` is the stamp that the page showed, 0 for a plan that was not
    there. Raises NotAllowed, Stale, files.EvidenceRefused."""
    if content.upload is None:
        with transaction.atomic():
            return _keep(campaign, organization, content, None, by, seen)
    return library.store(
        content.upload, lambda file: _keep(campaign, organization, content, file, by, seen)
    )


def _keep(
    campaign: Campaign,
    organization: Organization,
    content: Content,
    file: StoredFile | None,
    by: User,
    seen: int,
) -> ImplementationPlan:
    if not permissions.may_file_plan(by, organization):
        raise NotAllowed(gettext("只有本单位的填报员和负责人可以填写。"))
    if campaign.state != CampaignState.OPEN:
        raise NotAllowed(CLOSED)
    if file and file.media_type not in _KINDS:
        name = content.upload.name
        raise files.EvidenceRefused(
            gettext("“{name}”不是文档，没有上传。可以上传：{accepted}。").format(
                name=name, accepted=ACCEPTED
            )
        )
    own = ImplementationPlan.objects.filter(campaign=campaign, organization=organization)
    ImplementationPlan.objects.bulk_create(
        [ImplementationPlan(campaign=campaign, organization=organization)], ignore_conflicts=True
    )
    plan = lock(own.values_list("pk", flat=True).get(), seen)
    if plan.state not in EDITABLE:
        raise NotAllowed(
            gettext("实施方案{state}，不能再修改。").format(state=plan.get_state_display())
        )
    version = plan.versions.last() or PlanVersion(plan=plan, number=1)
    before = version.stored_file
    version.sections = [
        {"heading": part.heading, "text": text}
        for part, text in zip(outline(campaign, organization), content.texts, strict=True)
    ]
    if file:
        name = kinds.fitting_name(content.upload.name or "", file.media_type)
        version.stored_file, version.name = file, name
    elif content.drop_file:
        version.stored_file, version.name = None, ""
    version.save()
    if before and before != version.stored_file:
        files.discard(before)
    plan.stamp += 1
    plan.save(update_fields=["stamp"])
    return plan


def gaps(version: PlanVersion) -> list[str]:
    """The headings below which something must be written before it is filed; none where a file
    stands for the text."""
    if version.stored_file_id:
        return []
    return [one["heading"] for one in version.sections if not one["text"].strip()]


def lock(key: int, seen: int) -> ImplementationPlan:
    """The row as it is now. Raises Stale."""
    locked = (
        ImplementationPlan.objects.select_for_update(of=("self",))
        .select_related("campaign", "organization")
        .get(pk=key)
    )
    if locked.stamp != seen:
        raise Stale(gettext("实施方案刚刚有了变化，请核对后再办理。"))
    return locked
