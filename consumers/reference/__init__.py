"""Reference departments: two small subscriber programs, real ones, that a department copies.

market_entry_desk.py        市场准入窗口: takes pushed notices, restricts registrations and offices, answers the clerk
resource_trading_centre.py  公共资源交易中心: takes notices from Kafka or pushed, admits bidders and consortia

Both keep their obligations in one book (book.py, obligations.py), act on them (register.py), and say so (outbox.py).
"""
