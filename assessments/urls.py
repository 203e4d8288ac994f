"""The map of the portal, by object."""

from django.urls import include, path

from assessments.views import (
    actions,
    attachments,
    decisions,
    evidence,
    exports,
    library,
    oversight,
    public,
    reviews,
    self_assessments,
    uploading,
    workbench,
)

app_name = "assessments"

self_assessment_urls = [
    path("start/", self_assessments.start, name="self_assessment_start"),
    path("<int:pk>/", self_assessments.detail, name="self_assessment_detail"),
    path(
        "<int:pk>/criteria/<int:number>/",
        self_assessments.criterion,
        name="self_assessment_criterion",
    ),
    path(
        "<int:pk>/indicators/<str:code>/evidence/",
        attachments.indicator,
        name="indicator_evidence",
    ),
    path("<int:pk>/actions/return/", actions.send_back, name="self_assessment_return"),
    path("<int:pk>/actions/<slug:action>/", actions.act, name="self_assessment_act"),
]
evidence_urls = [
    path("", library.index, name="library"),
    path("uploads/", uploading.begin, name="upload_begin"),
    path("uploads/<uuid:pk>/", uploading.upload, name="upload"),
    path("<int:pk>/", evidence.download, name="evidence_download"),
    path("<int:pk>/content/", evidence.content, name="evidence_content"),
    path("<int:pk>/thumbnail/", evidence.thumbnail, name="evidence_thumbnail"),
    path("<int:pk>/view/", evidence.view, name="evidence_view"),
    path("<int:pk>/edit/", evidence.edit, name="evidence_edit"),
    path("<int:pk>/use/", library.use, name="evidence_use"),
    path("<int:pk>/delete/", evidence.delete, name="evidence_delete"),
]
review_urls = [
    path("", reviews.ReviewList.as_view(), name="review_list"),
    path("<int:pk>/", reviews.detail, name="review_detail"),
    path("<int:pk>/criteria/<int:number>/", reviews.criterion, name="review_criterion"),
]
summary_urls = [
    path("", exports.overview, name="summary"),
    path("<int:year>/workbook.xlsx", exports.workbook, name="summary_workbook"),
]

urlpatterns = [
    path("", workbench.index, name="workbench"),
    path("policy/", public.policy, name="policy"),
    path("assessments/", include(self_assessment_urls)),
    path("evidence/", include(evidence_urls)),
    path("oversight/", oversight.OversightList.as_view(), name="oversight"),
    path("reviews/", include(review_urls)),
    path("assignments/", decisions.AssignmentList.as_view(), name="assignment_list"),
    path("decisions/", decisions.DecisionList.as_view(), name="decision_list"),
    path("summary/", include(summary_urls)),
]
