# SPDX-License-Identifier: Apache-2.0
"""Refusals: errors that we foresee. A refusal carries a code and facts; its words are in messages.toml."""


class Refusal(Exception):  # noqa: N818 -- a refusal is an answer, not a fault
    """Say no with a stable code. Apps may subclass it where a caller must tell one refusal from another."""

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code} ({told})" if told else self.code

    def __reduce__(self) -> tuple[object, ...]:
        # Refusals cross process borders (planning children): the default would drop the facts.
        return _rebuild, (type(self), self.code, self.facts)


class UnprovenSignature(Refusal):
    """A signed thing whose signature does not hold, or whose signer nobody here vouches for."""


def _rebuild(kind: type[Refusal], code: str, facts: dict[str, object]) -> Refusal:
    made = kind.__new__(kind)
    Refusal.__init__(made, code, **facts)
    return made
