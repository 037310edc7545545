"""One command that runs the whole console: it starts the processes, watches them, and takes them down together.

Plain Python around `subprocess`, one thread. `start.py` tells the story from top to bottom.
"""
