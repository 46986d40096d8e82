# SPDX-License-Identifier: Apache-2.0
"""A site's call: a short-lived token, signed with the key that the city certified, for what is no fact."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from muster.base.crypto import SigningKey, TrustedKey, read_signed, sign_claims
from muster.base.crypto.signing import b64url, unb64url
from muster.base.errors import Refusal, UnprovenSignature

SITE_CALL = "muster-site-call"
SCHEME = "Site "
# A laptop's clock has had nobody to ask for days.
CLOCKS_APART = timedelta(days=2)
_ISS, _AUD, _IAT = 1, 3, 6


def make_call(key: SigningKey, *, city: uuid.UUID, at: datetime) -> str:
    """The value of an Authorization header."""
    claims: dict[int | str, object] = {_ISS: str(key.instance), _AUD: str(city), _IAT: int(at.timestamp())}
    return SCHEME + b64url(sign_claims(key, claims, typ=SITE_CALL))


def read_call(header: str, *, keys: list[TrustedKey], own: set[uuid.UUID], at: datetime) -> uuid.UUID:
    """Which site calls. Refusal site_unknown for all that is not a fresh call to us by a key we trust."""
    if not header:
        raise Refusal("not_signed_in")
    if not header.startswith(SCHEME):
        raise Refusal("site_unknown")
    try:
        claims, signer = read_signed(unb64url(header.removeprefix(SCHEME)), keys, typ=SITE_CALL)
        site, city = uuid.UUID(str(claims[_ISS])), uuid.UUID(str(claims[_AUD]))
        said = datetime.fromtimestamp(int(claims[_IAT]), at.tzinfo)
    except (UnprovenSignature, KeyError, ValueError, TypeError, OverflowError, OSError):
        raise Refusal("site_unknown") from None
    if site != signer.instance or city not in own or abs(at - said) > CLOCKS_APART:
        raise Refusal("site_unknown")
    return site
