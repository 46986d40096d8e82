# SPDX-License-Identifier: Apache-2.0
"""Cryptography behind one door: keys (Keystore), sealed texts (seal), blind indexes, signatures (verify).

Every sealed value and every signature names its algorithm, so that another one can be added beside it.
"""

from muster.base.crypto.keystore import DataKey, KeyDestroyed, Keystore
from muster.base.crypto.sealing import (
    SealBroken,
    blind_index,
    blind_indexes,
    seal,
    seal_bytes,
    seal_many,
    unseal,
    unseal_bytes,
    unseal_many,
)
from muster.base.crypto.signing import (
    SigningKey,
    TrustedKey,
    key_id,
    public_jwk,
    read_signed,
    sign_claims,
    thumbprint,
    verify,
)

__all__ = [
    "DataKey",
    "KeyDestroyed",
    "Keystore",
    "SealBroken",
    "SigningKey",
    "TrustedKey",
    "blind_index",
    "blind_indexes",
    "key_id",
    "public_jwk",
    "read_signed",
    "seal",
    "seal_bytes",
    "seal_many",
    "sign_claims",
    "thumbprint",
    "unseal",
    "unseal_bytes",
    "unseal_many",
    "verify",
]
