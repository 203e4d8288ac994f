"""The tree of unions, and which part of it a user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.choices import PARENT_TIERS, Ownership, Role, Tier, UnitKind
from organizations.credit_code import is_credit_code

if TYPE_CHECKING:
    from organizations.models.account import User

#: Digits of one step of a path: room for 99 999 999 organizations.
PATH_STEP = 8
#: Sorts after every digit in any collation, so that a prefix range needs no special index.
AFTER_DIGITS = "a"

WRONG_CREDIT_CODE = _("统一社会信用代码不正确：应为 18 位，且与末位校验码相符。")
MORE_MEMBERS_THAN_WORKERS = _("会员人数不能多于职工人数。")
#: The fields of the register (台账), which only grassroots unions have.
REGISTER_FIELDS = ("kind", "ownership", "workers", "members", "has_legal_person", "credit_code")

#: Roles whose holder sees the whole subtree of the organization in which the role is held.
SUBTREE_ROLES = (Role.REPORTER, Role.HEAD, Role.VIEWER, Role.LEAD_REVIEWER, Role.ADMIN)


def within(path: str, field: str = "path") -> Q:
    """The condition that `field` lies in the subtree whose top has this path: an index range."""
    return Q(**{f"{field}__gte": path, f"{field}__lt": path + AFTER_DIGITS})


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def active(self) -> OrganizationQuerySet:
        return self.filter(dissolved_on=None)

    def subtree_of(self, organization: Organization) -> OrganizationQuerySet:
        """The organization itself and everything below it."""
        return self.filter(within(organization.path))

    def with_subtree_counts(self) -> OrganizationQuerySet:
        """With `below`: how many active organizations stand below each, at any depth."""
        end = Concat(OuterRef("path"), Value(AFTER_DIGITS))
        below = (
            Organization.objects.active()
            .filter(path__gt=OuterRef("path"), path__lt=end)
            .order_by()
            .annotate(one=Value(1))
            .values("one")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return self.annotate(below=Coalesce(Subquery(below), 0))

    def visible_to(self, user: User) -> OrganizationQuerySet:
        """The organizations that the user may see: the subtrees of the places where a role is
        held. A reviewer sees the city's own row only; submissions come by assignment.
        Dissolved organizations stay visible: their past does."""
        if user.is_superuser:
            return self.all()
        scope = Q(pk__in=[])
        for membership in user.roles:
            if membership.role in SUBTREE_ROLES:
                scope |= within(membership.organization.path)
            else:
                scope |= Q(pk=membership.organization_id)
        return self.filter(scope)

    def administered_by(self, user: User) -> OrganizationQuerySet:
        """The organizations whose accounts the user administers: `permissions.may_administer`."""
        if user.is_superuser:
            return self.all()
        scope = Q(pk__in=[])
        for membership in user.roles:
            if membership.role == Role.ADMIN:
                scope |= within(membership.organization.path)
        return self.filter(scope)


class Organization(models.Model):
    """One union at one tier (工会组织).

    `path` is the materialised way from the root: the keys of all ancestors and of the
    organization itself, each as PATH_STEP digits. It is null only inside the transaction that
    creates the row. `path` and `initials` are kept by `organizations.tree`.

    `kind` and what follows it is the register (台账) of a grassroots union; other tiers leave it
    empty. `workers` and `members` are heads.
    """

    code = models.CharField(
        _("代码"),
        max_length=30,
        unique=True,
        help_text=_("区划代码或统一编号，全市唯一；名称可以重复，代码不能。"),
        error_messages={"unique": _("已有工会使用这个代码。")},
    )
    name = models.CharField(_("名称"), max_length=120)
    tier = models.CharField(_("层级"), max_length=12, choices=Tier)
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("上级工会"),
    )
    path = models.CharField(  # noqa: DJ001 - null until placed: "" would collide
        max_length=PATH_STEP * 4, unique=True, null=True, editable=False, verbose_name=_("路径")
    )
    initials = models.CharField(_("拼音首字母"), max_length=120, blank=True, editable=False)
    dissolved_on = models.DateField(
        _("撤销日期"), null=True, blank=True, help_text=_("撤销的工会保留历史，不再参加创建活动。")
    )
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        verbose_name=_("并入"),
        editable=False,
    )
    kind = models.CharField(_("单位性质"), max_length=12, choices=UnitKind, blank=True)
    ownership = models.CharField(_("所有制"), max_length=12, choices=Ownership, blank=True)
    workers = models.PositiveIntegerField(_("职工人数"), null=True, blank=True)
    members = models.PositiveIntegerField(_("会员人数"), null=True, blank=True)
    has_legal_person = models.BooleanField(_("工会法人资格"), null=True, blank=True)
    credit_code = models.CharField(
        _("统一社会信用代码"),
        max_length=18,
        blank=True,
        help_text=_("18 位，末位是校验码。工会有自己的代码就填工会的，没有就填所在单位的。"),
    )

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("工会组织")
        ordering = ["path"]
        indexes = [
            models.Index(fields=["tier", "path"], name="organization_tier_path"),
            models.Index(fields=["credit_code"], name="organization_credit_code"),
        ]
        constraints = [
            models.CheckConstraint(
                name="organization_city_is_root",
                condition=Q(tier=Tier.CITY, parent=None)
                | (~Q(tier=Tier.CITY) & Q(parent__isnull=False)),
                violation_error_message=_("市总工会没有上级；其他工会必须有上级。"),
            ),
            models.CheckConstraint(
                name="organization_not_own_parent",
                condition=Q(parent=None) | ~Q(parent=F("id")),
                violation_error_message=_("不能以自己为上级。"),
            ),
            models.CheckConstraint(
                name="organization_tier_known", condition=Q(tier__in=Tier.values)
            ),
            models.CheckConstraint(
                name="organization_kind_known", condition=Q(kind__in=["", *UnitKind.values])
            ),
            models.CheckConstraint(
                name="organization_ownership_known",
                condition=Q(ownership__in=["", *Ownership.values]),
            ),
            models.CheckConstraint(
                name="organization_members_are_workers",
                condition=Q(workers=None) | Q(members=None) | Q(members__lte=F("workers")),
                violation_error_message=MORE_MEMBERS_THAN_WORKERS,
            ),
            models.CheckConstraint(
                name="organization_merged_is_dissolved",
                condition=Q(merged_into=None) | Q(dissolved_on__isnull=False),
                violation_error_message=_("并入其他工会的工会必须已撤销。"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("organizations:detail", args=[self.pk])

    def clean(self) -> None:
        """Raises ValidationError at `parent` where the tree's rules forbid this place."""
        allowed = PARENT_TIERS[Tier(self.tier)] if self.tier in Tier.values else ()
        if self.parent is not None and self.parent.tier not in allowed:
            names = gettext("、").join(str(tier.label) for tier in allowed) or gettext("无")
            raise ValidationError(
                {
                    "parent": gettext("{tier}的上级只能是：{names}。").format(
                        tier=self.get_tier_display(), names=names
                    )
                },
                code="tier",
            )
        misplaced = [tier for tier in Tier if self.tier not in PARENT_TIERS[tier]]
        child = self.children.filter(tier__in=misplaced).first() if self.pk else None
        if child:
            raise ValidationError(
                {
                    "tier": gettext("下属的“{child}”不能以{tier}为上级。").format(
                        child=child.name, tier=self.get_tier_display()
                    )
                },
                code="tier",
            )
        if self.dissolved_on and self.dissolved_on > timezone.localdate():
            raise ValidationError({"dissolved_on": gettext("撤销日期不能晚于今天。")})
        if self.credit_code and not is_credit_code(self.credit_code):
            raise ValidationError({"credit_code": WRONG_CREDIT_CODE})
        if None not in (self.workers, self.members) and self.members > self.workers:
            raise ValidationError({"members": MORE_MEMBERS_THAN_WORKERS})

    @property
    def is_active(self) -> bool:
        return self.dissolved_on is None

    @property
    def ancestor_keys(self) -> list[int]:
        """The keys of the organizations above, from the root down."""
        path = self.path or ""
        steps = [path[start : start + PATH_STEP] for start in range(0, len(path), PATH_STEP)]
        return [int(step) for step in steps[:-1]]

    def is_above(self, other: Organization) -> bool:
        """Whether `other` lies in this organization's subtree, itself excluded."""
        return other.path != self.path and bool(
            self.path and other.path and other.path.startswith(self.path)
        )
