"""Paginated tables with the filter at their head."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.views.generic import ListView

PAGE_SIZE = 50


class FilteredListView(ListView):
    """A paginated table; `filter` is a bound form, and the address carries it along."""

    paginate_by = PAGE_SIZE
    request: HttpRequest
    filter: Any

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        parameters = self.request.GET.copy()
        parameters.pop("page", None)
        return context | {"filter": self.filter, "query": parameters.urlencode()}

    def paginate_queryset(self, queryset: QuerySet, page_size: int) -> tuple:
        """A page number beyond the end shows the last page."""
        paginator = self.get_paginator(queryset, page_size)
        page = paginator.get_page(self.request.GET.get("page"))
        return paginator, page, page.object_list, page.has_other_pages()
