"""Why records are refused: every reason code of the border, in Chinese and English, for documents and for people's screens."""

from collections.abc import Mapping
from typing import NamedTuple


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
    "bad_base64": Meaning("不是 Base64", "bytes in JSON are written in base64"),
}
"""Of values that do not fit the schema; found where a record is made."""

RULES: Mapping[str, Meaning] = {
    "classified": Meaning("涉密信息", "the record is marked as classified: nothing of it is kept, and it must not be sent again"),
    "type_not_granted": Meaning("无权报送此类信息", "the catalogue does not let the department publish this record type"),
    "not_an_input_record": Meaning("不是报送类信息", "the bus makes such records itself"),
    "wrong_department": Meaning("部门与主题不符", "the record names another department than its topic"),
    "key_mismatch": Meaning("消息键与主体不符", "the message's key is not the subject id in UTF-8"),
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
    "subject_kind": Meaning("主体标识种类错误", "a subject id begins with org:, reg:, orgcode:, tax:, inst:, soc: or person:"),
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
