"""What a superior enters when endorsing: opinion and rank, scores, the order of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext

from assessments.forms.ratings import CountField, PlainTextField, RatingForm
from assessments.forms.sheets import ReviewSheet
from assessments.models import Endorsement, TierPolicy
from assessments.ranking import is_fixed

_LAST_RANK = 9999


class RankField(CountField):
    """A place from 1 up; None where nothing is typed."""

    def clean(self, value: Any) -> int | None:
        rank = super().clean(value)
        if rank is not None and not 1 <= rank <= _LAST_RANK:
            raise forms.ValidationError(gettext("名次请填写 1 至 {last}。").format(last=_LAST_RANK))
        return rank


class OpinionForm(forms.Form):
    """One opinion, as it stands on the endorsement."""

    opinion = PlainTextField(1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["opinion"].label = gettext("推荐意见")
        self.fields["opinion"].help_text = gettext("例如：经初审，材料属实，同意推荐。")
        self.fields["opinion"].widget = forms.Textarea(attrs={"rows": 4})
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_opinion(self) -> str:
        if not self.cleaned_data["opinion"]:
            raise forms.ValidationError(gettext("请填写推荐意见。"))
        return self.cleaned_data["opinion"]


class EndorseForm(OpinionForm):
    """With the rank among the superior's unions of the same tier."""

    def __init__(self, policy: TierPolicy, *args: Any, next_rank: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        rank = RankField()
        rank.label = gettext("名次") if policy.endorsement_ranks else gettext("名次（可不填）")
        rank.help_text = gettext("在您推荐的同级工会中排第几。下一个空名次：{next_rank}。").format(
            next_rank=next_rank
        )
        rank.widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        self.fields["rank"] = rank

    def clean_rank(self) -> int | None:
        rank = self.cleaned_data["rank"]
        if rank is None and self.policy.endorsement_ranks:
            raise forms.ValidationError(gettext("请填写名次。"))
        return rank


class EndorsementScoreForm(RatingForm):
    text_fields = {"reason": 1000}


class EndorsementSheet(ReviewSheet):
    """The superior's page of scores; two heads at it are told as a reviewer's two windows are."""

    form_class = EndorsementScoreForm
    row_template = "assessments/superior/_score_row.html"
    buttons_template = "assessments/superior/_score_buttons.html"


class RankingForm(forms.Form):
    """A number at each endorsement that can still be moved."""

    def __init__(self, endorsements: Sequence[Endorsement], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.endorsements = endorsements
        for one in endorsements:
            if not is_fixed(one):
                name = one.self_assessment.organization.name
                field = RankField()
                field.label, field.initial = gettext("{name}的名次").format(name=name), one.rank
                field.widget = forms.TextInput(
                    attrs={
                        "inputmode": "numeric",
                        "autocomplete": "off",
                        "class": "form-control rank",
                        "aria-label": field.label,
                    }
                )
                self.fields[f"rank-{one.pk}"] = field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        taken = {one.rank: one for one in self.endorsements if is_fixed(one) and one.rank}
        for one in self.endorsements:
            rank = cleaned.get(f"rank-{one.pk}")
            if rank is None:
                continue
            if rank in taken:
                other = taken[rank].self_assessment.organization.name
                self.add_error(
                    f"rank-{one.pk}",
                    gettext("第 {rank} 名与“{other}”重复。").format(rank=rank, other=other),
                )
            else:
                taken[rank] = one
        return cleaned

    @property
    def rows(self) -> list[tuple[Endorsement, Any]]:
        return [
            (one, None if is_fixed(one) else self[f"rank-{one.pk}"]) for one in self.endorsements
        ]

    @property
    def ranks(self) -> dict[int, int | None]:
        """The ranks that were typed, by key of the endorsement."""
        return {
            one.pk: self.cleaned_data[f"rank-{one.pk}"]
            for one in self.endorsements
            if f"rank-{one.pk}" in self.fields
        }
