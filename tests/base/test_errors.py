# SPDX-License-Identifier: Apache-2.0
import copy
import pickle

import pytest

from muster.base import messages
from muster.base.crypto import KeyDestroyed, SealBroken
from muster.base.errors import Refusal, UnprovenSignature


def test_refusal_carries_code_and_facts_and_says_both():
    refusal = Refusal("grid_unknown", grid=7, code="51-A")

    assert (refusal.code, refusal.facts) == ("grid_unknown", {"grid": 7, "code": "51-A"})
    assert str(refusal) == "grid_unknown (grid=7, code='51-A')"
    assert str(Refusal("grid_unknown")) == "grid_unknown"


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("grid_unknown", grid=7),
        UnprovenSignature("token_forged", kid="x"),
        KeyDestroyed(purpose="daily"),
        SealBroken(),
    ],
    ids=lambda refusal: refusal.code,
)
def test_refusal_survives_a_process_border(refusal):
    for twin in (pickle.loads(pickle.dumps(refusal)), copy.copy(refusal)):
        assert type(twin) is type(refusal)
        assert (twin.code, twin.facts) == (refusal.code, refusal.facts)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "code", ["secret_missing", "key_destroyed", "seal_broken", "signer_unknown", "keystore_busy"]
)
def test_refusals_of_keys_have_words(code, lang):
    assert messages.text(code, lang, path="keys.db", kid="k", key=1)
