from assessments.models.arbitration import Arbitration
from assessments.models.assignment import AssignmentRun
from assessments.models.campaign import Campaign, Extension, ExtensionRequest, TierPolicy, Veto
from assessments.models.case import CasePhoto, ExemplaryCase
from assessments.models.deciding import DecisionBatch, PendingDecision, Standing
from assessments.models.decision import Adjustment, Decision, DecisionCriterion, DecisionScore
from assessments.models.endorsement import Endorsement, EndorsementScore, Urge
from assessments.models.evidence import Evidence, PartialUpload, StoredFile
from assessments.models.export import Export, ExportPreset
from assessments.models.guide import SeenGuide
from assessments.models.history import AnswerChange
from assessments.models.inspection import (
    FindingPhoto,
    Inspection,
    InspectionDraw,
    InspectionFinding,
)
from assessments.models.notice import Notice, NoticeAudience, NoticeFile, NoticeRead
from assessments.models.phrase import StockPhrase
from assessments.models.plan import ImplementationPlan, PlanVersion
from assessments.models.publicity import Appeal, PublicityPeriod, PublishedResult
from assessments.models.recognition import Recheck, Recognition
from assessments.models.recommendation import (
    GoalCompletion,
    PackageFile,
    Recommendation,
    RecommendationList,
    RecommendationQuota,
)
from assessments.models.reminder import CalendarAddress, Reminder
from assessments.models.review import (
    Recusal,
    Return,
    ReturnRemark,
    Review,
    ReviewCriterion,
    ReviewScore,
)
from assessments.models.rollup import Rollup, RollupMark, RollupScore, RollupState
from assessments.models.rubric import Criterion, Indicator, Rubric, RubricLocked
from assessments.models.self_assessment import (
    Answer,
    Attachment,
    ProxyFilling,
    Revision,
    RevisionEvidence,
    SealedScan,
    SelfAssessment,
)
from assessments.models.similarity import Band, Similarity, Trace
from assessments.models.supervision import (
    Rectification,
    SupervisionFile,
    SupervisionFinding,
    SupervisionRound,
    SupervisionTeam,
    SupervisionVisit,
)
from assessments.models.survey import Survey, SurveyPass

__all__ = [
    "Adjustment",
    "Answer",
    "AnswerChange",
    "Appeal",
    "Arbitration",
    "AssignmentRun",
    "Attachment",
    "Band",
    "CalendarAddress",
    "Campaign",
    "CasePhoto",
    "Criterion",
    "Decision",
    "DecisionBatch",
    "DecisionCriterion",
    "DecisionScore",
    "Endorsement",
    "EndorsementScore",
    "Evidence",
    "ExemplaryCase",
    "Export",
    "ExportPreset",
    "Extension",
    "ExtensionRequest",
    "FindingPhoto",
    "GoalCompletion",
    "ImplementationPlan",
    "Indicator",
    "Inspection",
    "InspectionDraw",
    "InspectionFinding",
    "Notice",
    "NoticeAudience",
    "NoticeFile",
    "NoticeRead",
    "PackageFile",
    "PartialUpload",
    "PendingDecision",
    "PlanVersion",
    "ProxyFilling",
    "PublicityPeriod",
    "PublishedResult",
    "Recheck",
    "Recognition",
    "Recommendation",
    "RecommendationList",
    "RecommendationQuota",
    "Rectification",
    "Recusal",
    "Reminder",
    "Return",
    "ReturnRemark",
    "Review",
    "ReviewCriterion",
    "ReviewScore",
    "Revision",
    "RevisionEvidence",
    "Rollup",
    "RollupMark",
    "RollupScore",
    "RollupState",
    "Rubric",
    "RubricLocked",
    "SealedScan",
    "SeenGuide",
    "SelfAssessment",
    "Similarity",
    "Standing",
    "StockPhrase",
    "StoredFile",
    "SupervisionFile",
    "SupervisionFinding",
    "SupervisionRound",
    "SupervisionTeam",
    "SupervisionVisit",
    "Survey",
    "SurveyPass",
    "TierPolicy",
    "Trace",
    "Urge",
    "Veto",
]
