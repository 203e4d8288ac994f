"""Fetching is the permission check: a view never holds a row that its user may not see."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from organizations import permissions
from organizations.models import Organization


def organization_or_404(request: HttpRequest, pk: int) -> Organization:
    """The union, if the user may see it."""
    return get_object_or_404(
        Organization.objects.visible_to(request.user).select_related("parent", "merged_into"), pk=pk
    )


def reorganizable_or_404(request: HttpRequest, pk: int) -> Organization:
    """The union, if the user may change its entry or its place."""
    organization = organization_or_404(request, pk)
    if not permissions.may_reorganize(request.user, organization):
        raise Http404
    return organization


def administered_or_404(request: HttpRequest, pk: int) -> Organization:
    """The union, if the user administers its accounts and may enter unions below it."""
    organization = organization_or_404(request, pk)
    if not permissions.may_administer(request.user, organization):
        raise Http404
    return organization


def require_admin(request: HttpRequest) -> None:
    """Raises Http404 for whoever administers nothing."""
    if not permissions.is_admin(request.user):
        raise Http404
