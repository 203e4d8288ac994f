"""People: users, and the roles that they hold in organizations."""

from __future__ import annotations

from functools import cached_property

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from organizations.choices import ROLE_TIERS, Role, Tier
from organizations.models.organization import Organization, within


class UserQuerySet(models.QuerySet["User"]):
    def administered_by(self, user: User) -> UserQuerySet:
        """The accounts with a role in a union that the user administers; for the city's
        administrators every account. What may be done with one is
        `permissions.may_manage_account`."""
        if user.is_superuser:
            return self.all()
        administered = Membership.objects.none()
        for membership in user.roles:
            if membership.role != Role.ADMIN:
                continue
            if membership.organization.tier == Tier.CITY:
                return self.filter(is_superuser=False)
            below = within(membership.organization.path, "organization__path")
            administered |= Membership.objects.filter(below)
        return self.filter(is_superuser=False, pk__in=administered.values("user"))


class AccountManager(UserManager.from_queryset(UserQuerySet)):
    use_in_migrations = False


class User(AbstractUser):
    """A person who signs in. Only what the job needs is kept: a name, and an address if given.

    Raising `session_generation` ends all the user's sessions at once. `acting_for` is the key of
    the organization for which the user acts in this request; None means for all of them.
    """

    first_name = None
    last_name = None
    full_name = models.CharField(_("姓名"), max_length=40)

    wants_mail = models.BooleanField(_("邮件提醒"), default=True)
    must_change_password = models.BooleanField(_("须修改密码"), default=False, editable=False)
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    objects = AccountManager()

    REQUIRED_FIELDS = ["full_name"]
    acting_for: int | None = None

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name

    @cached_property
    def all_roles(self) -> list[Membership]:
        """The user's memberships with their organizations: one query for each request.

        A dissolved organization gives no role any more.
        """
        return list(
            self.memberships.filter(organization__dissolved_on=None)
            .select_related("organization")
            .order_by("organization__path", "role")
        )

    @property
    def roles(self) -> list[Membership]:
        """The memberships that count in this request: those in the organization for which the
        user acts. Rules against a conflict of interest look at `all_roles` instead."""
        if self.acting_for is None:
            return self.all_roles
        return [role for role in self.all_roles if role.organization_id == self.acting_for]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Sessions end when the password changes, and when the generation is raised."""
        return salted_hmac(
            "organizations.User.session",
            f"{self.password}:{self.session_generation}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class FirstPassword(models.Model):
    """A one-time password on a slip (开户通知单): it opens the account until the user has set an
    own password, or until it expires. Only a keyed digest is kept: `organizations.accounts`
    shows the password itself once, when it is issued."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="first_password")
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField(_("发放时间"))
    expires_at = models.DateTimeField(_("失效时间"))
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("发放人"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("初始密码")

    def __str__(self) -> str:
        return f"{self.user} {self.expires_at:%Y-%m-%d}"


class PasswordRecord(models.Model):
    """A password that the user has had, hashed: the last few may not come again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="password_records")
    password = models.CharField(max_length=128)
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("用过的密码")

    def __str__(self) -> str:
        return f"{self.user} {self.set_at:%Y-%m-%d}"


class Membership(models.Model):
    """A role (角色) that a user holds in an organization."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("用户")
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("工会")
    )
    role = models.CharField(_("角色"), max_length=13, choices=Role)

    class Meta:
        verbose_name = verbose_name_plural = _("任职角色")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization", "role"],
                name="membership_unique",
                violation_error_message=_("该用户在这个工会已有这个角色。"),
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
            names = gettext("、").join(str(tier.label) for tier in tiers)
            raise ValidationError(
                {
                    "role": gettext("{role}只能设在：{names}。").format(
                        role=self.get_role_display(), names=names
                    )
                }
            )
