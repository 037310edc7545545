"""Upload numbers to a customer's tenant: `plan` judges, `submit` makes the task, `Upload` does the work."""

from .operation import Upload
from .planning import KIND, Proposal, Rows, plan, propose, rows_of, submit, title_of
from .settings import Settings

__all__ = ["KIND", "Proposal", "Rows", "Settings", "Upload", "plan", "propose", "rows_of", "submit", "title_of"]
