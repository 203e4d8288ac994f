"""People: users, and the roles that they hold in organizations."""

from __future__ import annotations

from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from organizations.choices import ROLE_TIERS, Role, Tier
from organizations.models.organization import Organization


class User(AbstractUser):
    """A person who signs in. Only what the job needs is kept: a name, and an address if given."""

    first_name = None
    last_name = None
    full_name = models.CharField("姓名", max_length=40)

    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name

    @cached_property
    def roles(self) -> list[Membership]:
        """The user's memberships with their organizations: one query for each request.

        A dissolved organization gives no role any more.
        """
        return list(
            self.memberships.filter(organization__dissolved_on=None)
            .select_related("organization")
            .order_by("organization__path", "role")
        )


class Membership(models.Model):
    """A role (角色) that a user holds in an organization."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name="用户"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships", verbose_name="工会"
    )
    role = models.CharField("角色", max_length=13, choices=Role)

    class Meta:
        verbose_name = verbose_name_plural = "任职角色"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization", "role"],
                name="membership_unique",
                violation_error_message="该用户在这个工会已有这个角色。",
            ),
            models.CheckConstraint(
                name="membership_role_known", condition=models.Q(role__in=Role.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization} · {self.get_role_display()}"

    def clean(self) -> None:
        """Raises ValidationError at `role` where the organization's tier has no such role."""
        if not self.organization_id or self.role not in Role.values:
            return
        tiers = ROLE_TIERS.get(Role(self.role))
        if tiers is not None and Tier(self.organization.tier) not in tiers:
            names = "、".join(str(tier.label) for tier in tiers)
            raise ValidationError({"role": f"{self.get_role_display()}只能设在：{names}。"})
