"""Messages (消息) to the portal's users, and the log of the mails that carried them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organizations.choices import DeliveryOutcome, NotificationKind


class Delivery(models.Model):
    """One digest by e-mail to one user (投递记录). The row is made before the mail goes out: while
    its outcome is SENDING nobody else sends to that user. `at` is the last change of the outcome.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("收件人"),
    )
    address = models.EmailField(_("电子邮箱"))
    at = models.DateTimeField(_("时间"))
    subject = models.CharField(_("主题"), max_length=200, blank=True)
    count = models.PositiveIntegerField(_("消息条数"), default=0)
    outcome = models.CharField(_("结果"), max_length=8, choices=DeliveryOutcome)
    error = models.CharField(_("原因"), max_length=500, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("邮件投递记录")
        indexes = [
            models.Index(fields=["user", "-at"], name="delivery_of_user"),
            models.Index(fields=["-at"], name="delivery_newest"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(outcome="SENDING"), name="delivery_one_at_a_time"
            ),
            models.CheckConstraint(
                name="delivery_outcome_known", condition=Q(outcome__in=DeliveryOutcome.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.address} {self.get_outcome_display()}"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> "NotificationQuerySet":
        return self.filter(read_at=None)


class Notification(models.Model):
    """One message to one user. Written by `organizations.notifications.notify` only.

    `link` is a path of this portal. `key` tells messages about the same thing: at most one of
    them is unread at a time, and `count` says how often it has come. Where `many` is given, a
    message that has come more than once reads so, with {count} in it, and leads to `many_link`.
    `by` is never shown: unions do not learn who reviews them.
    `waiting_since` is when there began to be something that no mail has told; `delivery` is the
    mail that told it. `due_on` is the last day to do what the message asks for.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notifications",
        verbose_name=_("收件人"),
    )
    kind = models.CharField(_("类别"), max_length=8, choices=NotificationKind)
    key = models.CharField(max_length=64, editable=False)
    text = models.CharField(_("内容"), max_length=500)
    link = models.CharField(_("页面"), max_length=300)
    many = models.CharField(max_length=500, blank=True)
    many_link = models.CharField(max_length=300, blank=True)
    count = models.PositiveIntegerField(_("次数"), default=1)
    at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("已读时间"), null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    due_on = models.DateField(_("截止日期"), null=True)
    waiting_since = models.DateTimeField()
    delivery = models.ForeignKey(
        Delivery, on_delete=models.SET_NULL, null=True, related_name="notifications"
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("消息")
        indexes = [
            models.Index(fields=["recipient", "-at", "-id"], name="notification_newest"),
            models.Index(
                fields=["recipient", "-at", "-id"],
                condition=Q(read_at=None),
                name="notification_unread_newest",
            ),
            models.Index(
                fields=["recipient", "waiting_since"],
                condition=Q(read_at=None, delivery=None),
                name="notification_untold",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "key"],
                condition=Q(read_at=None),
                name="notification_unread_once",
            ),
            models.CheckConstraint(
                name="notification_kind_known", condition=Q(kind__in=NotificationKind.values)
            ),
            models.CheckConstraint(
                name="notification_link_inside",
                condition=Q(link__startswith="/") & ~Q(link__startswith="//"),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def is_folded(self) -> bool:
        """Whether it stands for several that have come one after another."""
        return bool(self.many) and self.count > 1

    @property
    def sentence(self) -> str:
        """What the user reads."""
        return self.many.replace("{count}", str(self.count)) if self.is_folded else self.text

    @property
    def target(self) -> str:
        """The path of the portal where it leads."""
        return self.many_link or self.link if self.is_folded else self.link
