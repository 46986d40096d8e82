# SPDX-License-Identifier: Apache-2.0
"""Which leases the front door knows: any that a trusted instance once signed, expired and revoked ones too.

A worker who was offline past the end of a lease still hands in what was recorded; the verdict is fold's.
"""

from collections import OrderedDict

from muster.base.codes import Lease, read_lease
from muster.base.crypto import Keystore
from muster.base.errors import Refusal, UnprovenSignature
from muster.intake.limits import LEASE_LETTERS, LEASES_REMEMBERED


def bearer(authorization: str) -> str:
    """Return the token of an Authorization header. Refusal: lease_missing."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Refusal("lease_missing")
    return token


class KnownLeases:
    """Checks a lease's signature once and remembers it: one check costs as much as ten small batches."""

    def __init__(self, keystore: Keystore, *, most: int = LEASES_REMEMBERED) -> None:
        import cwt  # noqa: F401 -- reading the first lease would import it, with every device waiting

        self._keystore = keystore
        self._most = most
        self._known: OrderedDict[str, Lease] = OrderedDict()

    def of_header(self, authorization: str) -> tuple[str, Lease]:
        """Return the token and its lease. Refusals: lease_missing, lease_unknown."""
        token = bearer(authorization)
        return token, self.of_token(token)

    def of_token(self, token: str) -> Lease:
        """Return the lease. Refusal: lease_unknown."""
        lease = self._known.get(token)
        if lease is None:
            lease = self._check(token)
            self._known[token] = lease
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(token)
        return lease

    def _check(self, token: str) -> Lease:
        if len(token) > LEASE_LETTERS:
            raise Refusal("lease_unknown", cause="token_malformed")
        try:
            return read_lease(token, self._keystore.trusted_keys())
        except UnprovenSignature as unproven:
            raise Refusal("lease_unknown", cause=unproven.code) from None
