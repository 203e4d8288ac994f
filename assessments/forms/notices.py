"""Writing notices, and narrowing their list."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from assessments import deadlines, permissions
from assessments.forms.decisions import DetailForm, text_field
from assessments.forms.formatted import FormattedTextField
from assessments.models import Notice, NoticeFile
from assessments.notices import Content
from organizations.choices import ASSESSED_TIERS, Tier
from organizations.forms.filters import ListFilter
from organizations.models import Organization, User


class NoticeFilter(ListFilter):
    """By a word of the title; signed in, also by whether it was read."""

    q = forms.CharField(label=_("标题中的词"), required=False, max_length=60)
    show = forms.ChoiceField(
        label=_("显示"), required=False, choices=[("", _("全部通知")), ("unread", _("只看未读"))]
    )

    def __init__(self, data: Any, user: User) -> None:
        super().__init__(data)
        self.user = user
        if not user.is_authenticated:
            del self.fields["show"]

    def apply(self, rows: QuerySet[Notice]) -> QuerySet[Notice]:
        if text := self.value("q"):
            rows = rows.filter(title__icontains=text)
        if self.value("show"):
            rows = rows.filter(pk__in=Notice.objects.unread_by(self.user).values("pk"))
        return rows


class NoticeForm(DetailForm):
    """One notice. Once it is published, whom it is for is fixed."""

    title = text_field(_("标题"), 120, rows=1)
    body = FormattedTextField(_("正文"), _("长文件请作为附件上传。"))
    tiers = forms.MultipleChoiceField(
        label=_("发给哪些层级"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("都不选就是全部层级。"),
    )
    places = forms.ModelMultipleChoiceField(
        Organization.objects.none(),
        label=_("发给哪些地方"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("都不选就是全部下级工会。"),
        error_messages={
            "invalid_choice": _("只能发给本级和下级工会。"),
            "invalid_pk_value": _("只能发给本级和下级工会。"),
        },
    )
    is_public = forms.BooleanField(
        label=_("向社会公开"), required=False, help_text=_("不登录也能看到，包括附件。")
    )
    pinned = forms.BooleanField(label=_("置顶"), required=False)
    expires_on = forms.DateField(
        label=_("展示到（含当天）"),
        required=False,
        help_text=_("不填就一直展示。"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("请按 2026-05-31 的样子填写日期。")},
    )
    announce = forms.BooleanField(
        label=_("重新通知"),
        required=False,
        help_text=_("再给所有收到通知的人发一条消息，说明有更正。"),
    )
    remove = forms.ModelMultipleChoiceField(
        NoticeFile.objects.none(),
        label=_("删除附件"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, notice: Notice, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, initial=_initial(notice))
        publisher = notice.publisher
        tiers = Tier if publisher.tier == Tier.CITY else ASSESSED_TIERS
        self.fields["tiers"].choices = [(tier.value, tier.label) for tier in tiers]
        places = publisher.children.exclude(tier=Tier.GRASSROOTS).filter(dissolved_on=None)
        self.fields["places"].queryset = places
        if notice.pk and notice.files.exists():
            self.fields["remove"].queryset = notice.files.all()
        else:
            del self.fields["remove"]
        if not permissions.may_make_public(publisher):
            del self.fields["is_public"], self.fields["pinned"]
        if notice.is_draft:
            del self.fields["announce"]
        else:
            del self.fields["tiers"], self.fields["places"]

    def clean_expires_on(self) -> dt.date | None:
        day = self.cleaned_data["expires_on"]
        if day and day < deadlines.local_day(deadlines.now()):
            raise forms.ValidationError(gettext("展示到的日期不能早于今天。"))
        return day

    @property
    def content(self) -> Content:
        values = {name: value for name, value in self.cleaned_data.items() if name != "remove"}
        return Content(**values)


def _initial(notice: Notice) -> dict[str, Any]:
    audience = list(notice.audience.select_related("place")) if notice.pk else []
    return {
        "title": notice.title,
        "body": notice.body,
        "is_public": notice.is_public,
        "pinned": notice.pinned,
        "expires_on": notice.expires_on,
        "tiers": {part.tier for part in audience if part.tier},
        "places": {part.place for part in audience if part.place_id != notice.publisher_id},
    }
