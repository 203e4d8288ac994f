"""Notices (通知公告) of the city and of its counties: whom they are for, and who has read them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments.choices import NoticeState
from assessments.models.evidence import StoredFile
from organizations.choices import Tier
from organizations.models import Organization, User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def current(self) -> NoticeQuerySet:
        """Published, and not past its last day."""
        today = timezone.localdate()
        return self.filter(
            Q(expires_on=None) | Q(expires_on__gte=today), state=NoticeState.PUBLISHED
        )

    def public(self) -> NoticeQuerySet:
        """What everybody may read without signing in."""
        return self.current().filter(is_public=True)

    def addressed_to(self, user: User) -> NoticeQuerySet:
        """Those for one of the unions that the user belongs to, current or not."""
        meant = Q(pk__in=[])
        for membership in user.roles:
            union = membership.organization
            meant |= Q(
                place__in=[*union.ancestor_keys, union.pk],
                tier__in=["", union.tier],
            )
        rows = NoticeAudience.objects.filter(meant, notice=OuterRef("pk"))
        return self.filter(Exists(rows))

    def kept_by(self, user: User) -> NoticeQuerySet:
        """Those that the user writes: of the unions that the user administers."""
        return self.filter(publisher__in=Organization.objects.administered_by(user))

    def visible_to(self, user: User) -> NoticeQuerySet:
        """What the user may open: what is current and public or for the user, and the user's own
        in any state."""
        if not user.is_authenticated:
            return self.public()
        mine = Notice.objects.current().addressed_to(user).values("pk")
        kept = Notice.objects.kept_by(user).values("pk")
        public = Notice.objects.public().values("pk")
        return self.filter(Q(pk__in=mine) | Q(pk__in=kept) | Q(pk__in=public))

    def taken_back_from(self, user: User) -> NoticeQuerySet:
        """Withdrawn ones that were for the user, or for everybody."""
        meant = Q(is_public=True)
        if user.is_authenticated:
            meant |= Q(pk__in=Notice.objects.addressed_to(user).values("pk"))
        return self.filter(meant, state=NoticeState.WITHDRAWN)

    def with_receipt(self, user: User) -> NoticeQuerySet:
        """With `is_read`: whether the user has opened it since it was published."""
        return self.annotate(
            is_read=Exists(NoticeRead.objects.filter(notice=OuterRef("pk"), user=user.pk))
        )

    def unread_by(self, user: User) -> NoticeQuerySet:
        """Current ones for the user that the user has not opened."""
        return self.current().addressed_to(user).with_receipt(user).filter(is_read=False)


class Notice(models.Model):
    """One notice. `body` is HTML that was sanitised when it was saved (`assessments.notices`, which
    alone writes it). `version` counts the savings, so that two editors notice each other;
    `corrected_at` is the last change after the publication. Only the city's can be public or
    pinned."""

    publisher = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="notices", verbose_name=_("发布单位")
    )
    title = models.CharField(_("标题"), max_length=120)
    body = models.TextField(_("正文"))
    is_public = models.BooleanField(_("向社会公开"), default=False)
    pinned = models.BooleanField(_("置顶"), default=False)
    expires_on = models.DateField(_("展示到"), null=True, blank=True)
    state = models.CharField(
        _("状态"), max_length=9, choices=NoticeState, default=NoticeState.DRAFT, editable=False
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    saved_at = models.DateTimeField(_("保存时间"), auto_now=True)
    published_at = models.DateTimeField(_("发布时间"), null=True, editable=False)
    corrected_at = models.DateTimeField(_("更正时间"), null=True, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("通知公告")
        ordering = ["-pinned", "-published_at", "-pk"]
        indexes = [models.Index(fields=["state", "-pinned", "-published_at"], name="notice_list")]
        constraints = [
            models.CheckConstraint(
                name="notice_state_known", condition=Q(state__in=NoticeState.values)
            ),
            models.CheckConstraint(
                name="notice_published_has_time",
                condition=Q(state=NoticeState.DRAFT) | Q(published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("assessments:notice", args=[self.pk])

    @property
    def html(self) -> SafeString:
        return mark_safe(self.body)  # noqa: S308 - sanitised when it was saved

    @property
    def is_draft(self) -> bool:
        return self.state == NoticeState.DRAFT

    @property
    def is_published(self) -> bool:
        return self.state == NoticeState.PUBLISHED

    @property
    def is_withdrawn(self) -> bool:
        return self.state == NoticeState.WITHDRAWN


class NoticeAudience(models.Model):
    """The unions of one tier ("" for all) in the subtree of a place."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="audience")
    place = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    tier = models.CharField(_("层级"), max_length=12, choices=Tier, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("通知范围")
        ordering = ["place__path", "tier"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "place", "tier"], name="notice_audience_once"
            ),
            models.CheckConstraint(
                name="notice_audience_tier_known", condition=Q(tier__in=["", *Tier.values])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.get_tier_display() or gettext('全部层级')}"


class NoticeFile(models.Model):
    """A file that goes with a notice."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="files")
    stored_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, related_name="notice_files"
    )
    name = models.CharField(_("文件名"), max_length=255)

    class Meta:
        verbose_name = verbose_name_plural = _("通知附件")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "stored_file"], name="notice_file_once")
        ]

    def __str__(self) -> str:
        return self.name


class NoticeRead(models.Model):
    """That a user has opened a notice (阅读回执): the first time."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="receipts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(_("阅读时间"), auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = _("阅读回执")
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="notice_read_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} · {self.user_id}"
