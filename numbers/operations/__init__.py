"""What may be done with numbers: one file per verb."""

from .base import NumberOperation
from .capabilities import Capabilities
from .release import Release
from .relocate import Relocate
from .removal import ApproveRemoval, ClearRemoval
from .unassign import Unassign, UnassignRelease
from .withdraw import Withdraw

# The verbs that work on a selection of numbers, in the order in which the screens offer them.
ON_NUMBERS: dict[str, NumberOperation] = {
    operation.kind: operation
    for operation in (
        Release(),
        Withdraw(),
        Unassign(),
        UnassignRelease(),
        Relocate(),
        Capabilities(),
        ApproveRemoval(),
        ClearRemoval(),
    )
}


def register() -> None:
    """Make every operation known to the task engine. Called once when the app is ready."""
    from ocadmin.tasks import remedies
    from ocadmin.tasks.registry import register as add

    from .clean_up import CleanUp
    from .dial_plan import DialPlan
    from .drift import Drift, Repair
    from .export import Export, download
    from .imports import Import, ImportCheck, preview
    from .sync import Sync
    from .unassign import chain
    from .upload import Upload
    from .withdraw import remedy

    add(Sync())
    add(Upload())
    add(CleanUp())
    add(Drift())
    add(Repair())
    add(DialPlan())
    add(ImportCheck(), personal=True)
    add(Import(), personal=True)
    add(Export(), personal=True)
    for operation in ON_NUMBERS.values():
        add(operation)
    remedies.register(Release.kind, remedy)
    remedies.register(Release.kind, chain.remedy)
    remedies.register(Export.kind, download)
    for kind in (ImportCheck.kind, Import.kind):
        remedies.register(kind, preview)
