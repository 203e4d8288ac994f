"""The tiers of the tree and the roles that people hold in it."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Tier(TextChoices):
    """Where a union stands (层级). Three tiers are assessed: see ASSESSED_TIERS."""

    CITY = "CITY", _("市总工会")
    COUNTY = "COUNTY", _("县（市、区）工会")
    INDUSTRY = "INDUSTRY", _("产业工会")
    TOWNSHIP = "TOWNSHIP", _("乡镇（街道）工会")
    GRASSROOTS = "GRASSROOTS", _("基层工会")


ASSESSED_TIERS = (Tier.COUNTY, Tier.TOWNSHIP, Tier.GRASSROOTS)

#: The tiers under which a union of each tier may stand. The rule is enforced a second time by
#: triggers in the database; keep migration 0002 in step. Tiers only ever descend: no cycles.
PARENT_TIERS: dict[Tier, tuple[Tier, ...]] = {
    Tier.CITY: (),
    Tier.COUNTY: (Tier.CITY,),
    Tier.INDUSTRY: (Tier.CITY,),
    Tier.TOWNSHIP: (Tier.COUNTY,),
    Tier.GRASSROOTS: (Tier.TOWNSHIP, Tier.COUNTY, Tier.INDUSTRY, Tier.CITY),
}


class UnitKind(TextChoices):
    """The kind of the unit in which a grassroots union is founded (单位性质)."""

    ENTERPRISE = "ENTERPRISE", _("企业")
    INSTITUTION = "INSTITUTION", _("事业")
    GOVERNMENT = "GOVERNMENT", _("机关")
    OTHER = "OTHER", _("其他")


class Ownership(TextChoices):
    """Who owns the unit in which a grassroots union is founded (所有制)."""

    STATE = "STATE", _("国有")
    COLLECTIVE = "COLLECTIVE", _("集体")
    PRIVATE = "PRIVATE", _("民营")
    FOREIGN = "FOREIGN", _("外商及港澳台")
    MIXED = "MIXED", _("混合")
    OTHER = "OTHER", _("其他")


class Role(TextChoices):
    """What a member of an organization does in the portal (a user may hold several)."""

    REPORTER = "REPORTER", _("填报员")
    HEAD = "HEAD", _("负责人")
    VIEWER = "VIEWER", _("观察员")
    REVIEWER = "REVIEWER", _("评审员")
    LEAD_REVIEWER = "LEAD_REVIEWER", _("评审组长")
    ADMIN = "ADMIN", _("管理员")


#: The tiers at which a role can be held; a role that is not named here fits every tier.
ROLE_TIERS: dict[Role, tuple[Tier, ...]] = {
    Role.REVIEWER: (Tier.CITY,),
    Role.LEAD_REVIEWER: (Tier.CITY,),
    Role.ADMIN: (Tier.CITY, Tier.COUNTY),
}


class ImportGroup(TextChoices):
    """What an import does with a row of the list."""

    FAULT = "FAULT", _("有错误")
    CREATE = "CREATE", _("新增")
    CHANGE = "CHANGE", _("修改")
    MOVE = "MOVE", _("调整上级")
    UNCHANGED = "UNCHANGED", _("不变")


class ImportState(TextChoices):
    """How far an uploaded list has come. A faulty one can only be replaced by a corrected one."""

    FAULTY = "FAULTY", _("有错误")
    CHECKED = "CHECKED", _("待确认")
    APPLIED = "APPLIED", _("已导入")
    DISCARDED = "DISCARDED", _("已放弃")


class NotificationKind(TextChoices):
    """What a message (消息) is about."""

    TURN = "TURN", _("轮到您办理")
    RETURNED = "RETURNED", pgettext_lazy("state", "退回修改")
    RESULT = "RESULT", _("结果")
    REMINDER = "REMINDER", _("催报")
    INFO = "INFO", _("知会")


class DeliveryOutcome(TextChoices):
    """What became of a mail (投递结果)."""

    SENDING = "SENDING", _("发送中")
    SENT = "SENT", _("已发出")
    FAILED = "FAILED", _("失败，稍后重试")
    GIVEN_UP = "GIVEN_UP", _("失败，不再重试")


class Act(TextChoices):
    """What happened to a union or an account, as its history calls it."""

    ORGANIZATION_ENTERED = "ORGANIZATION_ENTERED", _("登记")
    ORGANIZATION_REVISED = "ORGANIZATION_REVISED", _("修改登记")
    ORGANIZATION_MOVED = "ORGANIZATION_MOVED", _("调整上级")
    ORGANIZATION_MERGED = "ORGANIZATION_MERGED", _("合并")
    ORGANIZATION_TOOK_OVER = "ORGANIZATION_TOOK_OVER", _("接收合并")
    ORGANIZATION_DISSOLVED = "ORGANIZATION_DISSOLVED", _("撤销")
    ORGANIZATION_REACTIVATED = "ORGANIZATION_REACTIVATED", _("恢复")
    IMPORT = "IMPORT", _("导入名册")
    IMPORT_DISCARDED = "IMPORT_DISCARDED", _("放弃导入")
    ACCOUNT_OPENED = "ACCOUNT_OPENED", _("开户")
    ACCOUNT_RENAMED = "ACCOUNT_RENAMED", _("更正姓名")
    ACCOUNT_DISABLED = "ACCOUNT_DISABLED", _("停用")
    ACCOUNT_ENABLED = "ACCOUNT_ENABLED", _("启用")
    ROLE_GRANTED = "ROLE_GRANTED", _("授予角色")
    ROLE_REVOKED = "ROLE_REVOKED", _("取消角色")
    HANDED_OVER = "HANDED_OVER", _("移交")
    TAKEN_OVER = "TAKEN_OVER", _("接任")
    FIRST_PASSWORD_ISSUED = "FIRST_PASSWORD_ISSUED", _("发放初始密码")
    PASSWORD_SET = "PASSWORD_SET", _("设定密码")
    SESSIONS_ENDED = "SESSIONS_ENDED", _("退出其他设备")
    UNLOCKED = "UNLOCKED", _("解除登录锁定")
    SECOND_FACTOR_ENROLLED = "SECOND_FACTOR_ENROLLED", _("启用二次验证")
    SECOND_FACTOR_DISABLED = "SECOND_FACTOR_DISABLED", _("关闭二次验证")
    SECOND_FACTOR_RESET = "SECOND_FACTOR_RESET", _("重置二次验证")
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED", _("使用恢复码")
    RECOVERY_CODES_RENEWED = "RECOVERY_CODES_RENEWED", _("更换恢复码")
    ENDORSEMENTS_RANKED = "ENDORSEMENTS_RANKED", _("推荐排序")
    URGED = "URGED", _("催报")
    RECUSAL_DECLARED = "RECUSAL_DECLARED", _("登记回避")
    RECUSAL_LIFTED = "RECUSAL_LIFTED", _("解除回避")
    BATCH_PREPARED = "BATCH_PREPARED", _("拟定评定名单")
    BATCH_REFRESHED = "BATCH_REFRESHED", _("更新评定名单")
    BATCH_LINE_EXCLUDED = "BATCH_LINE_EXCLUDED", _("移出评定名单")
    BATCH_APPLIED = "BATCH_APPLIED", _("作出评定")
    BATCH_DROPPED = "BATCH_DROPPED", _("作废评定名单")
    GOALS_ENTERED = "GOALS_ENTERED", _("录入年度工作目标完成率")
    RECOMMENDATION_DRAWN = "RECOMMENDATION_DRAWN", _("生成推荐名单")
    RECOMMENDATION_CHANGED = "RECOMMENDATION_CHANGED", _("调整推荐名单")
    RECOMMENDATION_CONFIRMED = "RECOMMENDATION_CONFIRMED", _("确认推荐名单")
    RECOMMENDATION_REOPENED = "RECOMMENDATION_REOPENED", _("重开推荐名单")
    INSPECTIONS_DRAWN = "INSPECTIONS_DRAWN", _("抽取现场核查")
    NOTICE_PUBLISHED = "NOTICE_PUBLISHED", _("发布通知")
    NOTICE_CORRECTED = "NOTICE_CORRECTED", _("更正通知")
    NOTICE_FILES_CHANGED = "NOTICE_FILES_CHANGED", _("更换通知附件")
    NOTICE_WITHDRAWN = "NOTICE_WITHDRAWN", _("撤回通知")
    NOTICE_URGED = "NOTICE_URGED", _("催阅通知")
    PLAN_FILED = "PLAN_FILED", _("报送实施方案")
    PLAN_WITHDRAWN = "PLAN_WITHDRAWN", _("撤回实施方案")
    PLAN_ACCEPTED = "PLAN_ACCEPTED", _("接收实施方案")
    PLAN_RETURNED = "PLAN_RETURNED", _("退回实施方案")
    RUBRIC_MADE = "RUBRIC_MADE", _("新建标准")
    RUBRIC_CHANGED = "RUBRIC_CHANGED", _("修改标准")
    RUBRIC_REMOVED = "RUBRIC_REMOVED", _("删除标准")
    CASE_NOMINATED = "CASE_NOMINATED", _("提名先进经验")
    CASE_SUBMITTED = "CASE_SUBMITTED", _("报送先进经验")
    CASE_FORWARDED = "CASE_FORWARDED", _("转报先进经验")
    CASE_RETURNED = "CASE_RETURNED", _("退回先进经验")
    CASE_DECLINED = "CASE_DECLINED", _("不采用先进经验")
    CASE_EDITED = "CASE_EDITED", _("编辑先进经验")
    CASE_PUBLISHED = "CASE_PUBLISHED", _("发布先进经验")
    CASE_WITHDRAWN = "CASE_WITHDRAWN", _("撤回先进经验")
    CASE_TAKEN_DOWN = "CASE_TAKEN_DOWN", _("撤下先进经验")
    CAMPAIGN_COPIED = "CAMPAIGN_COPIED", _("新建创建活动")
    CAMPAIGN_CHANGED = "CAMPAIGN_CHANGED", _("修改创建活动")
    CAMPAIGN_OPEN = "CAMPAIGN_OPEN", _("开放创建活动")
    CAMPAIGN_EXTENDED = "CAMPAIGN_EXTENDED", _("延长创建活动期限")
    CAMPAIGN_CLOSED = "CAMPAIGN_CLOSED", _("结束创建活动")
    CAMPAIGN_ARCHIVED = "CAMPAIGN_ARCHIVED", _("归档创建活动")
    SUPERVISION_PLANNED = "SUPERVISION_PLANNED", _("保存督查方案")
    SUPERVISION_STARTED = "SUPERVISION_STARTED", _("开始督查")
    SUPERVISION_CLOSED = "SUPERVISION_CLOSED", _("结束督查")
    SUPERVISION_TEAM_SAVED = "SUPERVISION_TEAM_SAVED", _("编组")
    SUPERVISION_TEAM_REMOVED = "SUPERVISION_TEAM_REMOVED", _("撤销小组")
    SUPERVISION_VISITS_ADDED = "SUPERVISION_VISITS_ADDED", _("列入走访")
    SUPERVISION_VISIT_REMOVED = "SUPERVISION_VISIT_REMOVED", _("移出方案")
    SUPERVISION_VISIT_CANCELLED = "SUPERVISION_VISIT_CANCELLED", _("取消走访")
    SUPERVISION_FED_BACK = "SUPERVISION_FED_BACK", _("反馈督查情况")
    SUPERVISION_RECTIFIED = "SUPERVISION_RECTIFIED", _("报送整改")
    SUPERVISION_ACCEPTED = "SUPERVISION_ACCEPTED", _("整改验收通过")
    SUPERVISION_RETURNED = "SUPERVISION_RETURNED", _("退回整改")
    PROGRESS_REPORTED = "PROGRESS_REPORTED", _("生成推进会材料")
    LIST_EXPORTED = "LIST_EXPORTED", _("导出列表")
    SUMMARY_EXPORTED = "SUMMARY_EXPORTED", _("导出汇总表")
    ARCHIVE_EXPORTED = "ARCHIVE_EXPORTED", _("导出申报档案")
    API_CLIENT_ISSUED = "API_CLIENT_ISSUED", _("登记数据接口")
    API_CLIENT_RENEWED = "API_CLIENT_RENEWED", _("更换接口令牌")
    API_CLIENT_REVOKED = "API_CLIENT_REVOKED", _("停用接口令牌")


class ApiScope(TextChoices):
    """What another system may read (数据接口)."""

    CAMPAIGNS = "campaigns", _("创建活动")
    ORGANIZATIONS = "organizations", _("工会组织")
    RESULTS = "results", _("评定结果（公示后）")
    ROLLUPS = "rollups", _("汇总数")
