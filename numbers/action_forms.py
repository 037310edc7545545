"""What has to be said before an action on numbers can be planned: one form for each action that needs one.

The forms are filled from the address, so that a plan can be looked at again, shared, and linked to ("undo").
"""

from .action_forms_base import ActionForm
from .action_forms_capabilities import CapabilitiesForm
from .action_forms_location import RelocateForm
from .operations.capabilities import Capabilities
from .operations.relocate import Relocate

__all__ = ["FORMS", "ActionForm"]

FORMS: dict[str, type[ActionForm]] = {Relocate.kind: RelocateForm, Capabilities.kind: CapabilitiesForm}
