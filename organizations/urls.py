"""Unions and accounts, by object."""

from django.urls import include, path

from organizations.views import accounts, api_clients, imports, inbox, organizations

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
api_client_urls = [
    path("", api_clients.index, name="api_clients"),
    path("<int:pk>/renew/", api_clients.renew, name="api_client_renew"),
    path("<int:pk>/revoke/", api_clients.revoke, name="api_client_revoke"),
]
message_urls = [
    path("", inbox.Inbox.as_view(), name="inbox"),
    path("read/", inbox.read_all, name="messages_read"),
    path("<int:pk>/", inbox.follow, name="message"),
    path("<int:pk>/read/", inbox.read, name="message_read"),
]
account_urls = [
    path("", accounts.AccountList.as_view(), name="accounts"),
    path("add/", accounts.add, name="account_add"),
    path("slips/", accounts.slips_of_list, name="account_slips"),
    path("<int:pk>/", accounts.detail, name="account"),
    path("<int:pk>/grant/", accounts.grant, name="account_grant"),
    path("<int:pk>/roles/<int:membership_pk>/revoke/", accounts.revoke, name="account_revoke"),
    path("<int:pk>/rename/", accounts.rename, name="account_rename"),
    path("<int:pk>/disable/", accounts.disable, name="account_disable"),
    path("<int:pk>/enable/", accounts.enable, name="account_enable"),
    path("<int:pk>/unlock/", accounts.unlock, name="account_unlock"),
    path("<int:pk>/second-factor/", accounts.reset_second_factor, name="account_second_factor"),
    path("<int:pk>/hand-over/", accounts.hand_over, name="account_hand_over"),
    path("<int:pk>/slip/", accounts.slip, name="account_slip"),
]

urlpatterns = [
    path("api-clients/", include(api_client_urls)),
    path("messages/", include(message_urls)),
    path("organizations/", include(organization_urls)),
    path("imports/", include(import_urls)),
    path("people/", include(account_urls)),
]
