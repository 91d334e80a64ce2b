"""Why records are refused: every reason code of the border, in Chinese and English, for documents and for people's screens."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from exchange.errors import Reason


class Meaning(NamedTuple):
    """What a reason code says, and what a department does about it."""

    zh: str
    en: str


BYTES: Mapping[str, Meaning] = {
    "not_wire_format": Meaning("不是总线报文格式", "the bytes do not begin with a zero byte and a schema id: encode with the bus's codec"),
    "unknown_schema_id": Meaning("未知的契约编号", "no schema has this id: use the ids of the registry"),
    "truncated": Meaning("报文不完整", "the message ends too early: it was cut on its way, or encoded with another schema"),
    "trailing_bytes": Meaning("报文有多余字节", "bytes follow the record: one message carries one record"),
    "undecodable": Meaning("报文无法解码", "the bytes are not the Avro of this schema"),
    "message_too_large": Meaning("报文过大", "a message has at most 1 MiB"),
}  # fmt: skip
"""Of messages that are not a record."""

VALUES: Mapping[str, Meaning] = {
    "missing_field": Meaning("缺少字段", "a field without a default is not given"),
    "unknown_field": Meaning("未知字段", "the record type has no such field: nothing is dropped silently"),
    "wrong_type": Meaning("类型错误", "the value is of another type than the field"),
    "not_unicode": Meaning("不是有效文本", "the text has characters that UTF-8 cannot hold"),
    "naive_datetime": Meaning("时间缺少时区", "a time is given with its zone"),
    "amount_precision": Meaning("金额精度超限", "an amount has more decimal places than fen"),
    "bad_date": Meaning("日期格式错误", "a day is written as 2026-01-31"),
    "bad_time": Meaning("时间格式错误", "a time is written as 2026-01-31T09:30:00+08:00"),
    "bad_amount": Meaning("金额格式错误", "an amount is written as 2000.00"),
    "more_reasons": Meaning(
        "另有其他原因", "over HTTP only so many reasons of a row are listed; the value says how many more there are"
    ),
    "bad_json": Meaning("不是有效的 JSON", "a record is one JSON object"),
    "bad_base64": Meaning("不是 Base64", "bytes in JSON are written in base64"),
}
"""Of values that do not fit the schema; found where a record is made."""

RULES: Mapping[str, Meaning] = {
    "classified": Meaning("涉密信息", "the record is marked as classified: nothing of it is kept, and it must not be sent again"),
    "type_not_granted": Meaning("无权报送此类信息", "the catalogue does not let the department publish this record type"),
    "not_an_input_record": Meaning("不是报送类信息", "the bus makes such records itself"),
    "wrong_department": Meaning("部门与主题不符", "the record names another department than its topic"),
    "key_mismatch": Meaning("消息键与主体不符", "the message's key is not the subject id in UTF-8"),
    "wrong_partition": Meaning(
        "分区与消息键不符", "the message lies in another partition than its key's: publish with partitioner=murmur2_random and name no partition"
    ),
    "not_the_decider": Meaning("非原认定部门", "who determined, repairs: only the deciding department may amend"),
    "not_the_authority": Meaning("非该名单的认定部门", "the policy has the list and lets this department put subjects on it"),
    "empty_field": Meaning("必填项为空", "a number or name that others are found by is empty"),
    "field_too_long": Meaning("字段过长", "a text has more than 4096 characters, a number more than 128"),
    "control_characters": Meaning("含控制或不可见字符", "a number or name has characters that cannot be seen"),
    "surrounding_blanks": Meaning("首尾有空格", "a number begins or ends with a blank: it would be another document"),
    "number_out_of_range": Meaning("数值超出范围", "a number lies outside what the field allows"),
    "date_out_of_range": Meaning("日期超出范围", "a decision before 1949-10-01 or after tomorrow, or an absurd day"),
    "published_at_out_of_range": Meaning("报送时间超出范围", "published before 2000 or after tomorrow: check the clock"),
    "negative_amount": Meaning("金额为负", "an amount is not negative"),
    "amount_out_of_range": Meaning("金额超出范围", "an amount has too many digits, or none"),
    "too_many_items": Meaning("列表过长", "a list has more than 256 items"),
    "unknown_symbol": Meaning("未知代码值", "the value is none of the field's symbols"),
    "bad_division": Meaning("行政区划错误", "six digits of GB/T 2260, or empty"),
    "bad_list_code": Meaning("名单代码格式错误", "capitals and digits, in parts joined by hyphens"),
    "bad_department": Meaning("部门标识格式错误", "a slug such as gd.tax"),
    "unknown_target_type": Meaning("未知的对象信息类型", "no record type of this name can be amended"),
    "not_a_person": Meaning("不是自然人标识", "the field takes persons only, by pseudonym"),
    "legal_reason_missing": Meaning("不予执行未写明法律理由", "feedback that declines a measure says the legal reason in its detail"),
    "officer_missing": Meaning("暂缓未写明经办人", "feedback that asks for a respite names the officer who answers for it"),
    "citizen_id_in_clear": Meaning("明文公民身份号码", "a citizen ID stands in a text: persons are known to the bus by pseudonym"),
}  # fmt: skip
"""Of records that break a rule of the bus."""

CODES: Mapping[str, Meaning] = {
    "subject_kind": Meaning("主体标识种类错误", "a subject id begins with org:, reg:, orgcode:, tax:, inst:, soc:, person: or series:"),
    "series_shape": Meaning("序列标识格式错误", "series:<signal>.<dimension>.<value>, such as series:penalty.region.440100"),
    "not_about_series": Meaning("该类信息不得以序列为主体", "only warnings, and what is said about them, are about a series"),
    "subject_form": Meaning("主体标识书写不规范", "the code is right, but not written in its one standard form"),
    "uscc_length": Meaning("统一社会信用代码长度错误", "18 characters (GB 32100)"),
    "uscc_alphabet": Meaning("统一社会信用代码含非法字符", "digits and capitals without I O Z S V (GB 32100)"),
    "uscc_category": Meaning("统一社会信用代码机构类别错误", "the first two characters name no kind of organisation (GB 32100)"),
    "uscc_division": Meaning("统一社会信用代码行政区划错误", "characters 3 to 8 are no division (GB/T 2260)"),
    "uscc_check_digit": Meaning("统一社会信用代码校验位错误", "the 18th character is not the check digit (GB 32100)"),
    "organisation_code_shape": Meaning("组织机构代码格式错误", "8 characters and a check digit (GB 11714)"),
    "organisation_code_check_digit": Meaning("组织机构代码校验位错误", "also that inside a USCC (GB 11714)"),
    "registration_number_shape": Meaning("工商注册号格式错误", "15 digits (GS 15-2006)"),
    "registration_number_division": Meaning("工商注册号行政区划错误", "begins with a division (GB/T 2260)"),
    "registration_number_check_digit": Meaning("工商注册号校验位错误", "ISO 7064 MOD 11,10"),
    "tax_registration_shape": Meaning("税务登记号格式错误", "a division and an organisation code: 15 characters"),
    "tax_registration_division": Meaning("税务登记号行政区划错误", "begins with a division (GB/T 2260)"),
    "certificate_shape": Meaning("证书号格式错误", "4 to 40 digits, capitals and Chinese characters"),
    "certificate_is_citizen_id": Meaning("证书号是公民身份号码", "a citizen ID never enters the bus in clear"),
    "person_shape": Meaning("自然人标识格式错误", "person:<key id>.<32 hex digits>"),
}  # fmt: skip
"""Of codes of organisations and persons."""

REASONS: Mapping[str, Meaning] = {**BYTES, **VALUES, **RULES, **CODES}

HOW: Mapping[str, str] = {
    "not_wire_format": "报文以零字节和契约编号开头，请用总线的编码程序",
    "unknown_schema_id": "请用契约目录中的编号",
    "truncated": "报文在传输中被截断，或用了另一契约编码",
    "trailing_bytes": "一条报文只有一条信息",
    "undecodable": "字节与该契约不符",
    "message_too_large": "一条报文不超过 1 MiB",
    "missing_field": "此字段没有默认值，须填写",
    "unknown_field": "此类信息没有该字段",
    "wrong_type": "值的类型须与字段一致",
    "not_unicode": "文本须为有效的 UTF-8",
    "naive_datetime": "时间须带时区",
    "amount_precision": "金额最多到分",
    "bad_date": "日期写作 2026-01-31",
    "bad_time": "时间写作 2026-01-31T09:30:00+08:00",
    "bad_amount": "金额写作 2000.00",
    "more_reasons": "请先更正所列各项",
    "bad_json": "一条信息是一个 JSON 对象",
    "bad_base64": "字节在 JSON 中写作 Base64",
    "classified": "涉密信息不得上总线，请勿再报",
    "type_not_granted": "资源目录未授权本部门报送此类信息",
    "not_an_input_record": "此类信息由总线自己产生",
    "wrong_department": "信息所写部门须与其主题一致",
    "key_mismatch": "消息键就是主体标识",
    "wrong_partition": "分区由消息键决定，发布时不得自行指定",
    "not_the_decider": "谁认定谁修复，须由原认定部门或其继任部门办理",
    "not_the_authority": "政策须有此名单，并由本部门认定",
    "empty_field": "用于查找的文号或名称不能为空",
    "field_too_long": "文本不超过 4096 个字符，编号不超过 128 个",
    "control_characters": "编号和名称不得含不可见字符",
    "surrounding_blanks": "首尾空格会使其成为另一份文书",
    "number_out_of_range": "数值须在字段允许的范围内",
    "date_out_of_range": "决定日期须在 1949-10-01 与明日之间，其他日期须合理",
    "published_at_out_of_range": "报送时间须在 2000 年与明日之间，请检查时钟",
    "negative_amount": "金额不得为负",
    "amount_out_of_range": "金额位数过多或没有数字",
    "too_many_items": "列表不超过 256 项",
    "unknown_symbol": "须为该字段的代码值之一",
    "bad_division": "六位行政区划代码（GB/T 2260），或留空",
    "bad_list_code": "大写字母和数字，各段以连字符相连",
    "bad_department": "部门标识如 gd.tax",
    "unknown_target_type": "没有可更正的此类信息",
    "not_a_person": "此字段只填自然人，以假名标识",
    "legal_reason_missing": "不予执行须写明法律理由",
    "officer_missing": "暂缓须写明经办人",
    "citizen_id_in_clear": "文本中不得出现公民身份号码，自然人以假名标识",
    "subject_kind": "主体标识以 org:、reg:、orgcode:、tax:、inst:、soc: 或 person: 开头",
    "subject_form": "须为半角大写，不含空格和连字符",
    "uscc_length": "须为 18 位（GB 32100）",
    "uscc_alphabet": "数字和大写字母，不含 I、O、Z、S、V（GB 32100）",
    "uscc_category": "前两位须为 GB 32100 的登记管理部门和机构类别",
    "uscc_division": "第 3 至 8 位须为行政区划代码（GB/T 2260）",
    "uscc_check_digit": "第 18 位须为校验码（GB 32100），请核对是否抄错",
    "organisation_code_shape": "8 位本体代码和 1 位校验码（GB 11714）",
    "organisation_code_check_digit": "校验码不符（GB 11714），请核对是否抄错",
    "registration_number_shape": "须为 15 位数字（GS 15-2006）",
    "registration_number_division": "以登记机关的行政区划代码开头（GB/T 2260）",
    "registration_number_check_digit": "校验码不符（GS 15-2006），请核对是否抄错",
    "tax_registration_shape": "6 位行政区划代码加 9 位组织机构代码",
    "tax_registration_division": "以行政区划代码开头（GB/T 2260）",
    "certificate_shape": "4 至 40 位数字、大写字母和汉字",
    "certificate_is_citizen_id": "公民身份号码不得以明文上总线",
    "person_shape": "须为总线的自然人假名",
    "series_shape": "以 series: 开头，依次写信号、维度和值，以点隔开",
    "not_about_series": "只有预警及对预警的答复、撤回和异议可以序列为主体",
}
"""What is to be done, in Chinese."""
_PATTERNS = (
    (re.compile(r"at most (\d+) characters"), r"不超过 \1 个字符"),
    (re.compile(r"at most (\d+) digits"), r"不超过 \1 位数字"),
    (re.compile(r"at most (\d+) bytes"), r"不超过 \1 字节"),
    (re.compile(r"at most (\d+)"), r"不超过 \1 项"),
)
"""Rules whose number says more than the table."""
_BEGINS_CHINESE = re.compile("[\u4e00-\u9fff].*[\u4e00-\u9fff]")


def rule_in_chinese(reason: Reason) -> str:
    """The rule that a reason names, in Chinese: its own words where it has them, else those of the table; "" where nobody knows any.

    >>> rule_in_chinese(Reason(code="field_too_long", rule="at most 128 characters"))
    '不超过 128 个字符'
    >>> rule_in_chinese(Reason(code="officer_missing", rule="暂缓须写明经办人: a respite names the officer"))
    '暂缓须写明经办人'
    """
    if own := _BEGINS_CHINESE.match(reason.rule):
        return own[0]
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(reason.rule):
            return found.expand(words)
    return HOW.get(reason.code, "")
