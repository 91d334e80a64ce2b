"""The words that fields choose from: one enum for each of the schemas', symbols in the same order."""

from enum import StrEnum


class AbnormalState(StrEnum):
    """列入状态."""

    ENTERED = "ENTERED"  # 列入
    REMOVED = "REMOVED"  # 移出


class AliasKind(StrEnum):
    """代码种类."""

    REGISTRATION_NUMBER = "REGISTRATION_NUMBER"  # 工商注册号
    ORGANISATION_CODE = "ORGANISATION_CODE"  # 组织机构代码
    TAX_REGISTRATION = "TAX_REGISTRATION"  # 税务登记号
    INSTITUTION_CERTIFICATE = "INSTITUTION_CERTIFICATE"  # 事业单位证书号
    SOCIAL_ORGANISATION_CERTIFICATE = "SOCIAL_ORGANISATION_CERTIFICATE"  # 社会组织登记证号


class ArrearsKind(StrEnum):
    """欠缴类型."""

    TAX = "TAX"  # 欠税
    WAGE = "WAGE"  # 欠薪
    SOCIAL_INSURANCE = "SOCIAL_INSURANCE"  # 欠缴社会保险费
    OTHER = "OTHER"  # 其他


class AwardLevel(StrEnum):
    """表彰级别."""

    NATIONAL = "NATIONAL"  # 国家级
    PROVINCIAL = "PROVINCIAL"  # 省级
    MUNICIPAL = "MUNICIPAL"  # 市级
    COUNTY = "COUNTY"  # 县级
    OTHER = "OTHER"  # 其他


class CaseKind(StrEnum):
    """案件类型."""

    CIVIL = "CIVIL"  # 民事
    ADMINISTRATIVE = "ADMINISTRATIVE"  # 行政
    CRIMINAL = "CRIMINAL"  # 刑事
    ENFORCEMENT = "ENFORCEMENT"  # 执行
    BANKRUPTCY = "BANKRUPTCY"  # 破产
    OTHER = "OTHER"  # 其他


class Classification(StrEnum):
    """涉密标识."""

    UNCLASSIFIED = "UNCLASSIFIED"  # 非涉密
    CLASSIFIED = "CLASSIFIED"  # 涉密


class CommitmentKind(StrEnum):
    """承诺类型."""

    APPROVAL = "APPROVAL"  # 审批替代型
    PROACTIVE = "PROACTIVE"  # 主动公示型
    REPAIR = "REPAIR"  # 信用修复型
    SELF_REGULATION = "SELF_REGULATION"  # 行业自律型
    OTHER = "OTHER"  # 其他


class CommitmentState(StrEnum):
    """履行状态."""

    MADE = "MADE"  # 已承诺
    KEPT = "KEPT"  # 已履行
    BROKEN = "BROKEN"  # 违背承诺


class DeliveryChannel(StrEnum):
    """送达渠道."""

    INBOX = "INBOX"  # 收件箱
    WEBHOOK = "WEBHOOK"  # 推送
    OTHER = "OTHER"  # 其他
    FILE = "FILE"  # 批量文件


class FeedbackState(StrEnum):
    """执行状态."""

    ACKNOWLEDGED = "ACKNOWLEDGED"  # 已签收
    EXECUTED = "EXECUTED"  # 已执行
    DECLINED = "DECLINED"  # 不予执行
    NOT_APPLICABLE = "NOT_APPLICABLE"  # 不适用
    ENDED = "ENDED"  # 已解除


class InspectionKind(StrEnum):
    """检查类型."""

    RANDOM = "RANDOM"  # 双随机
    ROUTINE = "ROUTINE"  # 日常
    SPECIAL = "SPECIAL"  # 专项
    COMPLAINT = "COMPLAINT"  # 投诉举报
    OTHER = "OTHER"  # 其他


class InspectionOutcome(StrEnum):
    """检查结果."""

    PASSED = "PASSED"  # 合格
    FAILED = "FAILED"  # 不合格
    REFUSED = "REFUSED"  # 拒绝检查
    UNREACHABLE = "UNREACHABLE"  # 无法联系


class LedgerKind(StrEnum):
    """条目类别."""

    RECORD = "RECORD"  # 信用信息
    REJECTION = "REJECTION"  # 退回
    NOTICE = "NOTICE"  # 通知
    STANDING_CHANGE = "STANDING_CHANGE"  # 信用状况变化
    RECEIPT = "RECEIPT"  # 送达回执
    FEEDBACK = "FEEDBACK"  # 措施反馈
    CHECKPOINT = "CHECKPOINT"  # 签名检查点


class LicenceState(StrEnum):
    """许可状态."""

    VALID = "VALID"  # 有效
    INVALID = "INVALID"  # 无效


class MeasureAction(StrEnum):
    """变化."""

    IMPOSED = "IMPOSED"  # 实施
    LIFTED = "LIFTED"  # 解除
    CHANGED = "CHANGED"  # 变更


class ObjectionState(StrEnum):
    """异议状态."""

    RAISED = "RAISED"  # 提出
    UPHELD = "UPHELD"  # 成立
    DISMISSED = "DISMISSED"  # 不成立


class OfficerRole(StrEnum):
    """职务."""

    DIRECTOR = "DIRECTOR"  # 董事
    SUPERVISOR = "SUPERVISOR"  # 监事
    SENIOR_MANAGER = "SENIOR_MANAGER"  # 高级管理人员
    DIRECTLY_RESPONSIBLE = "DIRECTLY_RESPONSIBLE"  # 直接责任人
    BENEFICIAL_OWNER = "BENEFICIAL_OWNER"  # 受益所有人


class PartyRole(StrEnum):
    """诉讼地位."""

    CLAIMANT = "CLAIMANT"  # 原告
    RESPONDENT = "RESPONDENT"  # 被告
    THIRD_PARTY = "THIRD_PARTY"  # 第三人
    JUDGMENT_DEBTOR = "JUDGMENT_DEBTOR"  # 被执行人
    OTHER = "OTHER"  # 其他


class RatingScheme(StrEnum):
    """评价体系."""

    TAX_CREDIT = "TAX_CREDIT"  # 纳税信用
    CUSTOMS_TIER = "CUSTOMS_TIER"  # 海关企业信用等级
    RISK_CLASS = "RISK_CLASS"  # 企业信用风险分类
    ENVIRONMENT = "ENVIRONMENT"  # 环保信用评价
    COMPREHENSIVE = "COMPREHENSIVE"  # 公共信用综合评价


class RepairState(StrEnum):
    """修复状态."""

    APPLIED = "APPLIED"  # 申请
    ACCEPTED = "ACCEPTED"  # 受理
    GRANTED = "GRANTED"  # 准予修复
    REFUSED = "REFUSED"  # 不予修复


class ReportState(StrEnum):
    """年报状态."""

    FILED = "FILED"  # 已报送
    LATE = "LATE"  # 逾期报送
    AMENDED = "AMENDED"  # 更正
    NOT_FILED = "NOT_FILED"  # 未报送


class Severity(StrEnum):
    """严重程度."""

    MINOR = "MINOR"  # 轻微
    GENERAL = "GENERAL"  # 一般
    SERIOUS = "SERIOUS"  # 严重


class SocialOrigin(StrEnum):
    """来源类型."""

    CREDIT_AGENCY = "CREDIT_AGENCY"  # 信用服务机构
    ASSOCIATION = "ASSOCIATION"  # 行业协会商会
    INTERNET_FIRM = "INTERNET_FIRM"  # 互联网企业
    MEDIA = "MEDIA"  # 媒体
    OTHER = "OTHER"  # 其他


class SubjectCategory(StrEnum):
    """行政相对人类别."""

    UNSTATED = "UNSTATED"  # 未注明
    ORGANISATION = "ORGANISATION"  # 法人及非法人组织
    INDIVIDUAL = "INDIVIDUAL"  # 自然人
    SELF_EMPLOYED = "SELF_EMPLOYED"  # 个体工商户


class SubjectKind(StrEnum):
    """主体类型."""

    ENTERPRISE = "ENTERPRISE"  # 企业
    SELF_EMPLOYED = "SELF_EMPLOYED"  # 个体工商户
    COOPERATIVE = "COOPERATIVE"  # 农民专业合作社
    INSTITUTION = "INSTITUTION"  # 事业单位
    SOCIAL_ORGANISATION = "SOCIAL_ORGANISATION"  # 社会组织
    GOVERNMENT_BODY = "GOVERNMENT_BODY"  # 机关
    RURAL_COLLECTIVE = "RURAL_COLLECTIVE"  # 农村集体经济组织
    PERSON = "PERSON"  # 自然人
    OTHER = "OTHER"  # 其他


class SubjectStatus(StrEnum):
    """登记状态."""

    ACTIVE = "ACTIVE"  # 存续
    SUSPENDED = "SUSPENDED"  # 歇业
    REVOKED = "REVOKED"  # 吊销
    CANCELLED = "CANCELLED"  # 注销
    MOVED_OUT = "MOVED_OUT"  # 迁出


class WarningDomain(StrEnum):
    """监管领域."""

    GENERAL = "GENERAL"  # 综合
    MARKET = "MARKET"  # 市场监管
    TAX = "TAX"  # 税务
    LABOUR = "LABOUR"  # 人力资源社会保障
    SAFETY = "SAFETY"  # 安全生产
    ENVIRONMENT = "ENVIRONMENT"  # 生态环境
    CONSTRUCTION = "CONSTRUCTION"  # 住房城乡建设
    TRANSPORT = "TRANSPORT"  # 交通运输
    FINANCE = "FINANCE"  # 金融
    SECURITIES = "SECURITIES"  # 证券
    CUSTOMS = "CUSTOMS"  # 海关
    BUDGET = "BUDGET"  # 财政
    LAND = "LAND"  # 自然资源
    SECURITY = "SECURITY"  # 公安
    CIVIL_AFFAIRS = "CIVIL_AFFAIRS"  # 民政
    COMMERCE = "COMMERCE"  # 商务
    AGRICULTURE = "AGRICULTURE"  # 农业农村
    HEALTH = "HEALTH"  # 卫生健康
    CULTURE = "CULTURE"  # 文化旅游
    JUSTICE = "JUSTICE"  # 司法
    STATISTICS = "STATISTICS"  # 统计
    INSOLVENCY = "INSOLVENCY"  # 偿债能力


class WarningLevel(StrEnum):
    """预警级别."""

    BLUE = "BLUE"  # 蓝色
    YELLOW = "YELLOW"  # 黄色
    ORANGE = "ORANGE"  # 橙色
    RED = "RED"  # 红色


class WarningSignal(StrEnum):
    """预警信号."""

    PENALTY = "PENALTY"  # 行政处罚增多
    COMPLAINT = "COMPLAINT"  # 投诉举报增多
    ABNORMAL_ENTRY = "ABNORMAL_ENTRY"  # 列入异常增多
    LISTING = "LISTING"  # 列入名单增多
    SHARED_ADDRESS = "SHARED_ADDRESS"  # 一址多企
    SHARED_REPRESENTATIVE = "SHARED_REPRESENTATIVE"  # 一人多家异常企业
    EXPIRED_LICENCE = "EXPIRED_LICENCE"  # 许可证过期仍存续
    PENALTY_BURST = "PENALTY_BURST"  # 短期内多次处罚
    INSOLVENCY = "INSOLVENCY"  # 偿债能力异常
    OTHER = "OTHER"  # 其他


class WarningState(StrEnum):
    """预警状态."""

    RAISED = "RAISED"  # 生效
    ENDED = "ENDED"  # 解除


class WithdrawalReason(StrEnum):
    """撤销原因."""

    WITHDRAWN = "WITHDRAWN"  # 撤回
    REVOKED = "REVOKED"  # 撤销
    PUBLISHED_IN_ERROR = "PUBLISHED_IN_ERROR"  # 公示有误
