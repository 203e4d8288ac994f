"""Unions from a spreadsheet (名册导入): read → plan → preview → apply, all or nothing.

`reading` takes the file apart, `columns` knows what stands in it, `planning` compares it with the
tree, `previews` keeps what would happen for the screen, `applying` does it.
"""
