"""The map of the portal, by object."""

from django.urls import include, path

from assessments.views import (
    actions,
    answers,
    arbitration,
    assignments,
    attachments,
    certificates,
    decisions,
    desk,
    evidence,
    exports,
    extensions,
    guide,
    history,
    inspection_papers,
    inspections,
    letters,
    library,
    oversight,
    paper,
    phrases,
    proxies,
    public,
    recognition,
    recommendations,
    recusals,
    reviews,
    self_assessments,
    similarity,
    superior,
    surveys,
    uploading,
    workbench,
)

app_name = "assessments"

self_assessment_urls = [
    path("start/", self_assessments.start, name="self_assessment_start"),
    path("<int:pk>/", self_assessments.detail, name="self_assessment_detail"),
    path(
        "<int:pk>/criteria/<int:number>/",
        answers.criterion,
        name="self_assessment_criterion",
    ),
    path("<int:pk>/answers/<str:code>/", answers.answer, name="self_assessment_answer"),
    path("<int:pk>/signature/", self_assessments.ask_to_sign, name="self_assessment_ask_to_sign"),
    path(
        "<int:pk>/indicators/<str:code>/evidence/",
        attachments.indicator,
        name="indicator_evidence",
    ),
    path("<int:pk>/form.pdf", paper.form_pdf, name="form_pdf"),
    path("<int:pk>/form.docx", paper.form_word, name="form_word"),
    path("<int:pk>/scan/", paper.scan, name="sealed_scan"),
    path("<int:pk>/proxy/end/", proxies.end, name="proxy_end"),
    path("proxy/<int:year>/<int:pk>/", proxies.begin, name="proxy_begin"),
    path("<int:pk>/history/", history.history, name="self_assessment_history"),
    path("<int:pk>/revisions/", history.compare, name="self_assessment_compare"),
    path("<int:pk>/revisions/<int:number>/", history.revision, name="self_assessment_revision"),
    path("<int:pk>/replies/", history.replies, name="self_assessment_replies"),
    path("<int:pk>/similar/", similarity.of_assessment, name="self_assessment_similar"),
    path("<int:pk>/actions/submit-on-paper/", proxies.submit_on_paper, name="submit_on_paper"),
    path("<int:pk>/actions/return/", actions.send_back, name="self_assessment_return"),
    path("<int:pk>/actions/endorse/", superior.endorse, name="self_assessment_endorse"),
    path(
        "<int:pk>/actions/endorse/criteria/<int:number>/",
        superior.scores,
        name="self_assessment_endorse_scores",
    ),
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
    path("phrases/", phrases.index, name="phrase_list"),
    path("phrases/<int:pk>/", phrases.phrase, name="phrase"),
    path("<int:pk>/criteria/<int:number>/", reviews.criterion, name="review_criterion"),
    path("<int:pk>/scores/<str:code>/", desk.score, name="review_score"),
    path("<int:pk>/aside/<int:number>/", desk.aside, name="review_aside"),
    path("<int:pk>/resume/", desk.resume, name="review_resume"),
    path("<int:pk>/next/", desk.following, name="review_next"),
    path("<int:pk>/complete/", desk.complete, name="review_complete"),
    path("<int:pk>/similar/", similarity.of_review, name="review_similar"),
    path("<int:pk>/recuse/", recusals.recuse, name="review_recuse"),
    path("<int:pk>/confirm/", recusals.confirm, name="review_confirm"),
    path("<int:pk>/replace/", recusals.replace, name="review_replace"),
]
assignment_urls = [
    path("", assignments.AssignmentList.as_view(), name="assignment_list"),
    path("plan/", assignments.plan, name="assignment_plan"),
    path("runs/", assignments.runs, name="assignment_runs"),
    path("runs/<int:pk>/", assignments.run, name="assignment_run"),
]
decision_urls = [
    path("", decisions.DecisionList.as_view(), name="decision_list"),
    path("prepare/", decisions.prepare, name="decision_prepare"),
    path("<int:pk>/letter.pdf", letters.letter, name="decision_letter"),
    path("batches/<int:pk>/", decisions.batch, name="decision_batch"),
    path("batches/<int:pk>/meeting.pdf", letters.meeting, name="batch_meeting"),
    path("batches/<int:pk>/letters.pdf", letters.batch_letters, name="batch_letters"),
    path("batches/<int:pk>/lines/<int:line>/", decisions.line, name="pending_decision"),
    path("batches/<int:pk>/<slug:act>/", decisions.change_batch, name="batch_change"),
]
recognition_urls = [
    path("", recognition.RecognitionList.as_view(), name="recognition_list"),
    path("<int:pk>/", recognition.detail, name="recognition"),
    path("<int:pk>/certificate.pdf", certificates.certificate, name="certificate"),
    path("of/<int:year>/award/", recognition.award, name="recognition_award"),
    path("of/<int:year>/certificates.pdf", certificates.certificates, name="certificates"),
    path("of/<int:year>/letters.pdf", certificates.certified_letters, name="certified_letters"),
]
recommendation_urls = [
    path("", recommendations.RecommendationDesk.as_view(), name="recommendation_list"),
    path("goals/", recommendations.GoalList.as_view(), name="goal_list"),
    path("<int:pk>/", recommendations.detail, name="recommendation"),
    path("<int:pk>/form.docx", recommendations.form, name="recommendation_form"),
    path("of/<int:year>/draw/", recommendations.draw, name="recommendation_draw"),
    path("of/<int:year>/confirm/", recommendations.confirm, name="recommendation_confirm"),
    path("of/<int:year>/summary.xlsx", recommendations.summary, name="recommendation_summary"),
    path("of/<int:year>/forms.zip", recommendations.forms, name="recommendation_forms"),
]
inspection_urls = [
    path("", inspections.InspectionList.as_view(), name="inspection_list"),
    path("draw/", inspections.draw, name="inspection_drawing"),
    path("draws/<int:pk>/", inspections.draw_detail, name="inspection_draw"),
    path("draws/<int:pk>/list.pdf", inspection_papers.lot, name="inspection_lot"),
    path("add/<int:pk>/", inspections.add, name="inspection_add"),
    path("<int:pk>/", inspections.detail, name="inspection"),
    path("<int:pk>/minutes.pdf", inspection_papers.minutes, name="inspection_minutes"),
    path("<int:pk>/criteria/<int:number>/", inspections.criterion, name="inspection_criterion"),
    path("photos/<int:pk>/", inspections.photo, name="inspection_photo"),
    path("photos/<int:pk>/remove/", inspections.remove_photo, name="inspection_photo_remove"),
]
similarity_urls = [
    path("", similarity.SimilarityList.as_view(), name="similarity_list"),
    path("<int:pk>/", similarity.detail, name="similarity"),
]
extension_urls = [
    path("", extensions.pending, name="extension_list"),
    path("<int:pk>/", extensions.answer, name="extension_answer"),
    path("ask/<int:year>/<int:pk>/", extensions.ask, name="extension_ask"),
]
oversight_urls = [
    path("", oversight.OversightList.as_view(), name="oversight"),
    path("urge/", oversight.urge, name="urge"),
    path("endorse/", superior.endorse_several, name="endorse_several"),
    path("<int:pk>/ranks/", superior.rank, name="rank"),
]
summary_urls = [
    path("", exports.overview, name="summary"),
    path("<int:year>/workbook.xlsx", exports.workbook, name="summary_workbook"),
]

survey_urls = [
    path("<int:pk>/<str:code>/", surveys.detail, name="survey"),
    path("<int:pk>/<str:code>/codes/", surveys.codes, name="survey_codes"),
    path("<int:pk>/<str:code>/close/", surveys.close, name="survey_close"),
    path("<int:pk>/<str:code>/cancel/", surveys.cancel, name="survey_cancel"),
    path("<int:pk>/<str:code>/adopt/", surveys.adopt, name="survey_adopt"),
]

urlpatterns = [
    path("", workbench.index, name="workbench"),
    path("policy/", public.policy, name="policy"),
    path("help/", guide.filling_in, name="help"),
    path("help/put-away/", guide.put_away, name="guide_put_away"),
    path("assessments/", include(self_assessment_urls)),
    path("extensions/", include(extension_urls)),
    path("surveys/", include(survey_urls)),
    path("verify/", paper.verify, name="verify"),
    path("verify/<slug:code>/", paper.verify, name="verify_code"),
    path("vote/<slug:token>/", surveys.ballot, name="survey_ballot"),
    path("evidence/", include(evidence_urls)),
    path("oversight/", include(oversight_urls)),
    path("reviews/", include(review_urls)),
    path("similarities/", include(similarity_urls)),
    path("assignments/", include(assignment_urls)),
    path("recusals/", recusals.index, name="recusal_list"),
    path("recusals/<int:pk>/lift/", recusals.lift, name="recusal_lift"),
    path("discrepancies/", arbitration.DiscrepancyList.as_view(), name="discrepancy_list"),
    path("discrepancies/<int:pk>/<int:number>/", arbitration.arbitrate, name="arbitrate"),
    path("calibration/", arbitration.statistics, name="calibration"),
    path("decisions/", include(decision_urls)),
    path("recognitions/", include(recognition_urls)),
    path("recommendations/", include(recommendation_urls)),
    path("certificates/", certificates.look_up, name="certificate_look_up"),
    path("inspections/", include(inspection_urls)),
    path("summary/", include(summary_urls)),
]
