"""Webhooks: changes of numbers, sent to the systems of others as they happen.

`models` what is kept; `source` where the changes come from; `signing` and `addresses` what makes it safe; `post` one
request; `sending` the engine around it; `crew` the threads that run it; `services` what people do with webhooks.
"""
