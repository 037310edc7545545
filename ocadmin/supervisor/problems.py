"""Why the console cannot start or go on."""


class CannotRun(Exception):
    """One sentence for the person at the terminal; nothing more is shown, and the run ends with exit code 1."""


class AskedToStop(BaseException):
    """Somebody sent INT, TERM or HUP. Not an Exception, so that nothing on the way takes it for a failure."""
