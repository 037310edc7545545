"""Microsoft's jobs: asked for in one request, worked off later on the sandbox's clock.

Nothing runs in the background.  What is due is written down as events with their virtual time, and
``engine.advance`` works off the due ones, each in a transaction of its own, before a request is
answered; so a killed process goes on where it stopped.
"""
