"""Old name of :mod:`cfc_ref.tables.csv`, kept for one version."""

from cfc_ref.tables.csv import (
    EMPTY,
    Table,
    by_group,
    check_columns,
    group_name,
    read_table,
    refuse_going_back,
    table_of,
)

__all__ = ["EMPTY", "Table", "by_group", "check_columns", "group_name", "read_table", "refuse_going_back", "table_of"]
