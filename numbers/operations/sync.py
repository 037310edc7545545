"""placeholder"""


class Sync:
    kind = "sync"
