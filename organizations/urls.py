"""Unions and accounts, by object."""

from django.urls import include, path

from organizations.views import imports, organizations  # accounts

app_name = "organizations"

organization_urls = [
    path("", organizations.OrganizationList.as_view(), name="list"),
    path("<int:pk>/", organizations.detail, name="detail"),
    path("<int:pk>/add/", organizations.add, name="add"),
    path("<int:pk>/edit/", organizations.edit, name="edit"),
    path("<int:pk>/move/", organizations.move, name="move"),
    path("<int:pk>/merge/", organizations.merge, name="merge"),
    path("<int:pk>/dissolve/", organizations.dissolve, name="dissolve"),
    path("<int:pk>/reactivate/", organizations.reactivate, name="reactivate"),
]
import_urls = [
    path("", imports.index, name="imports"),
    path("template.xlsx", imports.template, name="import_template"),
    path("register.xlsx", imports.export, name="register"),
    path("<int:pk>/", imports.detail, name="import_detail"),
    path("<int:pk>/confirm/", imports.confirm, name="import_confirm"),
    path("<int:pk>/discard/", imports.discard, name="import_discard"),
]
urlpatterns = [
    path("organizations/", include(organization_urls)),
    path("imports/", include(import_urls)),
    # path("people/", include(account_urls)),
]
