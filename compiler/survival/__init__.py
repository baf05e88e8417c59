"""What a site survives, proved from its topology and from what it rendered. Called by the pipeline and by the rules.

A model of the scheduler's hard constraints, and of nothing that it merely prefers: the worst placement that they allow
is what counts. ``docs/survival.md`` says what is proved and what is not.
"""

from compiler.survival.budgets import Budget, Protection
from compiler.survival.complaints import Complaint, complaints
from compiler.survival.pods import Pods, share
from compiler.survival.selectors import selects
from compiler.survival.show import describe, text
from compiler.survival.survey import Loss, Row, Survey, survey

__all__ = [
    "Budget",
    "Complaint",
    "Loss",
    "Pods",
    "Protection",
    "Row",
    "Survey",
    "complaints",
    "describe",
    "selects",
    "share",
    "survey",
    "text",
]
