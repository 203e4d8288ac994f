"""The words of the assessment: kinds of indicator, states, actions, outcomes."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class IndicatorKind(TextChoices):
    SCORE = "SCORE", _("评分")
    CHECKLIST = "CHECKLIST", _("逐项")
    RATE = "RATE", _("比率")


class CampaignState(TextChoices):
    PREPARING = "PREPARING", _("筹备中")
    OPEN = "OPEN", _("进行中")
    CLOSED = "CLOSED", _("已结束")
    ARCHIVED = "ARCHIVED", _("已归档")


class Occasion(TextChoices):
    """What has a last day (提醒、日程)."""

    PLAN = "PLAN", _("实施方案报送截止")
    SUBMISSION = "SUBMISSION", _("自评提交截止")
    CORRECTION = "CORRECTION", _("退回修改截止")
    ENDORSEMENT = "ENDORSEMENT", _("上级初审截止")
    REVIEW = "REVIEW", _("评审完成")
    PUBLICITY = "PUBLICITY", _("公示结束")
    VISITS = "VISITS", _("督查走访截止")
    RECTIFICATION = "RECTIFY", _("督查整改截止")


class State(TextChoices):
    """Where a self-assessment stands. Written by `assessments.workflow` only."""

    DRAFT = "DRAFT", _("填报中")
    SUBMITTED = "SUBMITTED", _("已提交")
    ENDORSED = "ENDORSED", _("已初审")
    UNDER_REVIEW = "UNDER_REVIEW", _("评审中")
    RETURNED = "RETURNED", pgettext_lazy("state", "退回修改")
    REVIEWED = "REVIEWED", _("已评审")
    DECIDED = "DECIDED", _("已评定")
    PUBLISHED = "PUBLISHED", _("公示中")
    FINAL = "FINAL", _("已生效")


#: States in which the union's own people may write.
EDITABLE_STATES = (State.DRAFT, State.RETURNED)
#: States in which the scan of the sealed paper form can be added: handed in, and not decided.
SCAN_STATES = (State.SUBMITTED, State.ENDORSED, State.UNDER_REVIEW, State.REVIEWED)
#: The union has handed in at least once and the city has the ball, or has had it.
SUBMITTED_STATES = tuple(state for state in State if state != State.DRAFT)
#: The reviewers have finished.
REVIEWED_STATES = (State.REVIEWED, State.DECIDED, State.PUBLISHED, State.FINAL)
#: A decision stands.
DECIDED_STATES = (State.DECIDED, State.PUBLISHED, State.FINAL)


class Action(TextChoices):
    """What can be done to a self-assessment; each is a row (or two) of the workflow's table."""

    SUBMIT = "SUBMIT", _("签批提交")
    SUBMIT_ON_PAPER = "SUBMIT_ON_PAPER", _("凭盖章纸质表代为提交")
    WITHDRAW = "WITHDRAW", _("撤回")
    ENDORSE = "ENDORSE", _("初审推荐")
    WITHDRAW_ENDORSEMENT = "WITHDRAW_ENDORSEMENT", _("撤回初审")
    RETURN = "RETURN", _("退回修改")
    RESUME = "RESUME", _("按原提交办理")
    BEGIN_REVIEW = "BEGIN_REVIEW", _("受理评审")
    COMPLETE_REVIEW = "COMPLETE_REVIEW", _("完成评审")
    REOPEN_REVIEW = "REOPEN_REVIEW", _("退回评审员")
    DECIDE = "DECIDE", _("评定")
    REOPEN_DECISION = "REOPEN_DECISION", _("撤销评定")
    PUBLISH = "PUBLISH", _("公示")
    WITHDRAW_PUBLICATION = "WITHDRAW_PUBLICATION", _("撤下公示")
    ACCEPT_APPEAL = "ACCEPT_APPEAL", _("异议成立")
    FINALISE = "FINALISE", _("公示结束生效")


class Outcome(TextChoices):
    AT_STANDARD = "AT_STANDARD", _("达标")
    NOT_AT_STANDARD = "NOT_AT_STANDARD", _("未达标")


class AdjustmentSource(TextChoices):
    """What made the city set a score in place of the reviewers'."""

    ARBITRATION = "ARBITRATION", _("评审组长仲裁")
    INSPECTION = "INSPECTION", _("现场核查")
    DECISION = "DECISION", _("评定调整")


class InspectionState(TextChoices):
    """An on-site check (现场核查)."""

    DRAWN = "DRAWN", _("待安排")
    SCHEDULED = "SCHEDULED", _("待核查")
    DONE = "DONE", _("已办结")
    CANCELLED = "CANCELLED", _("已取消")


class FindingVerdict(TextChoices):
    """What was found on site of what the union says."""

    CONFIRMED = "CONFIRMED", _("属实")
    PARTLY = "PARTLY", _("部分属实")
    REFUTED = "REFUTED", _("不属实")


class PlanState(TextChoices):
    """Where an implementation plan (实施方案) stands. Written by `assessments.plans` only."""

    DRAFT = "DRAFT", _("起草中")
    FILED = "FILED", _("已报送")
    RETURNED = "RETURNED", pgettext_lazy("state", "退回修改")
    ACCEPTED = "ACCEPTED", _("已接收")


class PlanAction(TextChoices):
    """What can be done to an implementation plan."""

    FILE = "FILE", _("报送")
    WITHDRAW = "WITHDRAW", _("撤回")
    ACCEPT = "ACCEPT", _("接收")
    RETURN = "RETURN", _("退回修改")


class Matter(TextChoices):
    """What a union is urged to hand in (催报)."""

    ASSESSMENT = "ASSESSMENT", _("自评")
    PLAN = "PLAN", _("实施方案")


class RecheckOutcome(TextChoices):
    """What came of looking at a title again (复查)."""

    KEPT = "KEPT", _("保持命名")
    IMPROVE = "IMPROVE", _("限期整改")
    REVOKE = "REVOKE", _("撤销命名")


class RoundState(TextChoices):
    """A round of supervision (督查)."""

    PLANNED = "PLANNED", _("筹备中")
    RUNNING = "RUNNING", _("进行中")
    CLOSED = "CLOSED", _("已结束")


class VisitState(TextChoices):
    """A union to be visited in a round of supervision."""

    PLANNED = "PLANNED", _("待走访")
    FED_BACK = "FED_BACK", _("已反馈")
    CANCELLED = "CANCELLED", _("已取消")


class FindingSeverity(TextChoices):
    """How much a finding of the supervision weighs."""

    MINOR = "MINOR", _("一般")
    SERIOUS = "SERIOUS", _("较重")
    GRAVE = "GRAVE", _("严重")


class FindingState(TextChoices):
    """How far putting right (整改) what the supervision has found has come."""

    OPEN = "OPEN", _("待整改")
    ANSWERED = "ANSWERED", _("待验收")
    RETURNED = "RETURNED", _("退回整改")
    ACCEPTED = "ACCEPTED", _("整改到位")


#: A finding that waits for the union.
UNANSWERED_STATES = (FindingState.OPEN, FindingState.RETURNED)


class LeftOut(TextChoices):
    """Why the rule leaves a union out of the candidates for the province."""

    DISSOLVED = "DISSOLVED", _("工会已撤销")
    NO_TITLE = "NO_TITLE", _("没有有效的命名")
    NO_GOALS = "NO_GOALS", _("没有录入年度工作目标完成率")
    GOALS = "GOALS", _("年度工作目标完成率不够")
    TIER = "TIER", _("本层级名额已满")
    COUNTY = "COUNTY", _("本县（市、区）名额已满")


class PackageKind(TextChoices):
    """The files of a recommendation's package; the account of the deeds (事迹材料) is typed."""

    REPORT = "REPORT", _("推荐报告")
    FORM = "FORM", _("推荐审批表（盖章扫描件）")
    MINUTES = "MINUTES", _("职工（代表）大会记录")
    PUBLICITY = "PUBLICITY", _("本单位公示材料")


class BatchState(TextChoices):
    """A list of pending decisions (评定名单)."""

    PREPARED = "PREPARED", _("待定")
    APPLIED = "APPLIED", _("已作出")
    DROPPED = "DROPPED", _("已作废")


class AppealKind(TextChoices):
    """What is put forward about a published result."""

    OBJECTION = "OBJECTION", _("异议")
    COMMENT = "COMMENT", _("意见建议")
    APPEAL = "APPEAL", _("工会申诉")


class AppealState(TextChoices):
    """How far it has come. A comment is answered; the other two are found to hold, or not."""

    REGISTERED = "REGISTERED", _("已登记")
    ASSIGNED = "ASSIGNED", _("办理中")
    ACCEPTED = "ACCEPTED", _("成立")
    REJECTED = "REJECTED", _("不成立")
    ANSWERED = "ANSWERED", _("已答复")


class SeveralReviewers(TextChoices):
    """How the scores of several reviewers become one."""

    MEAN = "MEAN", _("平均分")
    MEDIAN = "MEDIAN", _("中位数")


class Withdrawal(TextChoices):
    """Why a review was taken from its reviewer (取消分派)."""

    CHANGED = "CHANGED", _("改派")
    RECUSED = "RECUSED", _("回避")
    LEFT = "LEFT", _("评审员停用")


class SurveyMode(TextChoices):
    """How a member shows the right to vote once in a 民主测评."""

    CODES = "CODES", _("一人一张投票码（推荐）")
    DEVICES = "DEVICES", _("一部手机投一票")


class Vote(TextChoices):
    """What a member may answer. The values are the names of the tallies of `Survey`."""

    SATISFIED = "satisfied", _("满意")
    BASICALLY = "basically", _("基本满意")
    UNSATISFIED = "unsatisfied", _("不满意")
    ABSTAINED = "abstained", _("弃权")


class SimilarityKind(TextChoices):
    """What two unions have in common (雷同)."""

    FILE = "FILE", _("同一文件")
    IMAGE = "IMAGE", _("相似图片")
    TEXT = "TEXT", _("相似说明")


class SimilarityFinding(TextChoices):
    """What became of a flag (雷同核实)."""

    CLEARED = "CLEARED", _("已核实无问题")
    CONFIRMED = "CONFIRMED", _("属实")


class NoticeState(TextChoices):
    """How far a notice (通知公告) has come. What was withdrawn stays on record, and is not shown."""

    DRAFT = "DRAFT", _("草稿")
    PUBLISHED = "PUBLISHED", _("已发布")
    WITHDRAWN = "WITHDRAWN", _("已撤回")


class CaseState(TextChoices):
    """Where an exemplary case (先进经验) stands. Written by `assessments.cases` only."""

    DRAFT = "DRAFT", _("起草中")
    NOMINATED = "NOMINATED", _("评审提名，待本单位确认")
    SUBMITTED = "SUBMITTED", _("待上级转报")
    FORWARDED = "FORWARDED", _("待市总工会编发")
    RETURNED = "RETURNED", pgettext_lazy("state", "退回修改")
    DECLINED = "DECLINED", _("未采用")
    PUBLISHED = "PUBLISHED", _("已发布")
    WITHDRAWN = "WITHDRAWN", _("已撤回")


class CaseAction(TextChoices):
    """What can be done to an exemplary case."""

    SUBMIT = "SUBMIT", _("报送")
    FORWARD = "FORWARD", _("转报")
    RETURN = "RETURN", _("退回修改")
    DECLINE = "DECLINE", _("不采用")
    PUBLISH = "PUBLISH", _("发布")
    WITHDRAW = "WITHDRAW", _("撤回")
    TAKE_DOWN = "TAKE_DOWN", _("撤下")


class ExportStatus(TextChoices):
    """How far an export has come."""

    QUEUED = "QUEUED", _("排队中")
    RUNNING = "RUNNING", _("正在生成")
    DONE = "DONE", _("已生成")
    FAILED = "FAILED", _("生成失败")
    CANCELLED = "CANCELLED", _("已取消")


#: An export that is still to come.
PENDING_EXPORTS = (ExportStatus.QUEUED, ExportStatus.RUNNING)
