"""The REST interface: what every endpoint of it shares. The endpoints stand in the rooms that they are about.

An endpoint is a django-ninja operation (numbers/api/ holds the examples): `ninja` reads parameters and bodies through
pydantic, and writes the OpenAPI document from the same types. This package adds

- `authentication.may(permission)`: who asks, and whether they may, as the `auth` of an operation;
- `limits.PerClient(name, times, seconds)`: a rate limit, as the `throttle` of an operation;
- `problems.Problem`: an error, raised anywhere; every answer above 399 has its shape;
- `rest.Params`, `rest.Body`: parameters and bodies whose names are read in any case, with or without _;
- `rest.answers(Model)`: the responses of an operation, errors included; `rest.json_answer(...)`: a fast one.

How to add an endpoint: README, "Adding an endpoint".
"""
