from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from organizations.importing.reading import MAX_BYTES, MEGABYTE

_TOO_LARGE = format_lazy(_("文件超过 {megabytes} MB。"), megabytes=MAX_BYTES // MEGABYTE)


class ImportForm(forms.Form):
    """The list to upload; `dropped` where it was so large that nothing of it was kept."""

    file = forms.FileField(
        label=_("名册文件"),
        help_text=format_lazy(
            _("Excel（.xlsx、.xls）、.ods 或 .csv，最大 {megabytes} MB。"),
            megabytes=MAX_BYTES // MEGABYTE,
        ),
        error_messages={
            "required": _("请选择文件。"),
            "empty": _("文件是空的。"),
            "missing": _("请选择文件。"),
            "max_length": _("文件名太长，请改短后再上传。"),
        },
        max_length=200,
        allow_empty_file=False,
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.ods,.csv,.et"}),
    )

    def __init__(self, *args: Any, dropped: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if dropped:
            self.fields["file"].error_messages["required"] = _TOO_LARGE

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_TOO_LARGE)
        return file
