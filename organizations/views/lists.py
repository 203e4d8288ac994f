"""Paginated tables with the filter at their head: narrowed, sorted, cut to columns, exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.generic import ListView

from organizations import audit, workbook
from organizations.chinese import in_chinese
from organizations.choices import Act
from organizations.forms.filters import ListFilter

PAGE_SIZE = 50
PAGE_SIZES = (20, 50, 100)
#: Rows that an export reads at a time.
_CHUNK = 500


class FilteredListView(ListView):
    """A paginated list; `filter` is a bound form, and the address carries it along."""

    paginate_by = PAGE_SIZE
    request: HttpRequest
    filter: ListFilter

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"filter": self.filter, "query": query(self.request)}

    def paginate_queryset(self, queryset: QuerySet, page_size: int) -> tuple:
        """A page number beyond the end shows the last page."""
        paginator = self.get_paginator(queryset, page_size)
        page = paginator.get_page(self.request.GET.get("page"))
        return paginator, page, page.object_list, page.has_other_pages()


def query(request: HttpRequest, **changes: str) -> str:
    """The address of the list as it is, but for its page and the changes; an empty one is left
    out."""
    parameters = request.GET.copy()
    parameters.pop("page", None)
    for name, value in changes.items():
        parameters[name] = value
        if not value:
            del parameters[name]
    return parameters.urlencode()


@dataclass(frozen=True)
class Column:
    """One column of a table. `value` is what an export writes of a row; `sort` the lookup by which
    its heading sorts, if any; `width` that of the workbook, in characters. What stands `inside`
    the cells of another column on the screen has a column of its own in the workbook; an `extra`
    one is shown when it is asked for."""

    name: str
    label: str
    value: Callable[[Any], Any]
    sort: str = ""
    numeric: bool = False
    width: int = 14
    inside: str = ""
    extra: bool = False


@dataclass(frozen=True)
class Heading:
    """A column as the screen shows it; `query` is what its link sorts by."""

    label: str
    numeric: bool
    query: str = ""
    sorted: str = ""

    @property
    def sign(self) -> str:
        return {"ascending": "↑", "descending": "↓"}.get(self.sorted, "")


class TableView(FilteredListView):
    """A list as a table: ?sort= and ?size=, ?columns= to show only some of them, and ?format=xlsx
    for a workbook of all that the filter leaves, as it is sorted, with the columns that are shown.
    The first column always stays. What makes no sense is left out of account."""

    #: What the list is called, on the workbook too.
    title: str
    columns: tuple[Column, ...]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("format") == "xlsx":
            return self.export()
        return super().get(request, *args, **kwargs)

    def get_paginate_by(self, queryset: QuerySet) -> int:
        size = self.request.GET.get("size", "")
        return int(size) if size in map(str, PAGE_SIZES) else PAGE_SIZE

    @property
    def sort(self) -> tuple[Column | None, bool]:
        """The column by which the rows are sorted, and whether from its end."""
        chosen = self.request.GET.get("sort", "")
        name = chosen.removeprefix("-")
        column = next((one for one in self.columns if one.sort and one.name == name), None)
        return column, chosen.startswith("-")

    @property
    def shown(self) -> tuple[Column, ...]:
        names = {one.name for one in self.columns if not one.inside}
        usual = {one.name for one in self.columns if not one.inside and not one.extra}
        chosen = set(self.request.GET.getlist("columns")) & names or usual
        chosen.add(self.columns[0].name)
        return tuple(one for one in self.columns if (one.inside or one.name) in chosen)

    def in_order(self, rows: QuerySet, sort: str, backwards: bool) -> QuerySet:
        """By a lookup; what has nothing to sort by comes last, and what is equal stays put."""
        key = F(sort)
        order = key.desc(nulls_last=True) if backwards else key.asc(nulls_last=True)
        return rows.order_by(order, "pk")

    def sorted(self, rows: QuerySet) -> QuerySet:
        column, backwards = self.sort
        return self.in_order(rows, column.sort, backwards) if column else rows

    def prepared(self, rows: list[Any]) -> list[Any]:
        """Some rows with what the table shows of them beside their own fields: a few queries, however
        many rows."""
        return rows

    def paginate_queryset(self, queryset: QuerySet, page_size: int) -> tuple:
        paginator, page, _, several = super().paginate_queryset(self.sorted(queryset), page_size)
        page.object_list = self.prepared(list(page.object_list))
        return paginator, page, page.object_list, several

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        shown = self.shown
        return context | {
            "title": self.title,
            "headings": [self._heading(column) for column in shown if not column.inside],
            "shown": {column.name for column in shown},
            "choosable": [
                (column, column in shown) for column in self.columns[1:] if not column.inside
            ],
            "arrangement": [
                (name, value)
                for name in ("sort", "size", "columns")
                for value in self.request.GET.getlist(name)
            ],
            "kept": [
                (name, value)
                for name, values in self.request.GET.lists()
                if name not in ("page", "columns")
                for value in values
            ],
            "sizes": [
                (size, query(self.request, size=str(size)), size == context["paginator"].per_page)
                for size in PAGE_SIZES
            ],
            "export": query(self.request, format="xlsx"),
        }

    def _heading(self, column: Column) -> Heading:
        by, backwards = self.sort
        here = column == by
        # Figures are first asked for from the highest. A second touch turns the order round.
        from_end = not backwards if here else column.numeric
        sort = f"-{column.name}" if from_end else column.name
        return Heading(
            label=column.label,
            numeric=column.numeric,
            query=query(self.request, sort=sort) if column.sort else "",
            sorted=("descending" if backwards else "ascending") if here else "",
        )

    def export(self) -> FileResponse:
        """The workbook; that it was taken stands on record."""
        rows = self.sorted(self.get_queryset())
        shown, now = self.shown, timezone.localtime()
        with transaction.atomic(), in_chinese():
            audit.record(
                action=Act.LIST_EXPORTED,
                by=self.request.user,
                details={"list": str(self.title), "filter": self._chosen()},
            )
        book = workbook.new()
        sheet = workbook.Sheet(
            book,
            str(self.title),
            title=str(self.title),
            notes=[
                gettext("筛选：{chosen}").format(chosen=self._chosen()),
                gettext("导出：{user}  {now:%Y年%m月%d日 %H:%M}").format(
                    user=self.request.user, now=now
                ),
            ],
            columns=[(str(column.label), column.width) for column in shown],
            widen=1,
        )
        for row in self._prepared_in_chunks(rows):
            sheet.append(column.value(row) for column in shown)
        sheet.finish()
        return FileResponse(
            workbook.saved(book),
            as_attachment=True,
            filename=f"{self.title}{now:%Y%m%d}.xlsx",
            content_type=workbook.MEDIA_TYPE,
        )

    def _chosen(self) -> str:
        return gettext("；").join(self.filter.described()) or gettext("全部")

    def _prepared_in_chunks(self, rows: QuerySet) -> Iterator[Any]:
        found = rows.iterator(chunk_size=_CHUNK)
        while chunk := list(islice(found, _CHUNK)):
            yield from self.prepared(chunk)
