"""What leaves SegmentLab: the report for people, tables for spreadsheets, files for programs."""

from __future__ import annotations

from dataclasses import dataclass

from core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """What the report may tell."""

    min_cell: int = option(
        5,
        "Smallest number of people shown",
        "Counts of fewer people than this are shown only as less than it, so that a report tells "
        "of groups and never of a person",
        low=1,
        high=1000,
        unit="users",
    )
