# SPDX-License-Identifier: Apache-2.0
import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from muster.base import codes, ids
from muster.base.crypto import Keystore, SigningKey, key_id, sign_claims
from muster.base.crypto.signing import b64url, ed25519_jwk, unb64url
from muster.base.errors import Refusal, UnprovenSignature

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return Keystore.open(folder / "keys.db", folder / "secret", create=True)


def lease_of(store, **changes):
    lease = codes.Lease(
        id=ids.new_id(),
        instance=store.instance_key().instance,
        device=ids.new_id(),
        actor="01890000-0000-7000-8000-000000000001",
        incident=ids.new_id(),
        areas=("1.3", "1.4"),
        grids=(12, 13),
        issued_at=AT,
        expires_at=AT + timedelta(hours=24),
        epoch=3,
    )
    return dataclasses.replace(lease, **changes)


class TestEnrolCodes:
    def test_codes_look_alike_and_are_not(self):
        made = {codes.make_enrol_code() for _ in range(2000)}

        assert len(made) == 2000
        assert all(len(code) == 9 and code[4] == "-" for code in made)
        assert not set("".join(made)) & set("ILOU")

    @given(letters=st.text(alphabet=codes.CROCKFORD, min_size=8, max_size=8))
    def test_a_code_reads_the_same_however_it_is_typed(self, letters):
        tidy = f"{letters[:4]}-{letters[4:]}"
        sloppy = f"  {letters[:2].lower()} {letters[2:]} ".replace("0", "o").replace("1", "l")

        assert codes.normalise_enrol_code(tidy) == tidy
        assert codes.normalise_enrol_code(sloppy) == tidy

    @pytest.mark.parametrize(
        "wrong", ["", "ABCD", "ABCD-EFGHJ", "ABCD-EFGU", "甲乙丙丁戊己庚辛", "ABCD_EFGH"]
    )
    def test_what_cannot_be_a_code_is_unknown(self, wrong):
        with pytest.raises(Refusal, match="code_unknown"):
            codes.normalise_enrol_code(wrong)


class TestLeases:
    def test_a_lease_comes_back_as_it_was(self, store):
        lease = lease_of(store)

        assert codes.read_lease(codes.make_lease(store.instance_key(), lease), store.trusted_keys()) == lease

    def test_a_lease_long_over_is_still_read(self, store):
        lease = lease_of(store, issued_at=AT - timedelta(days=900), expires_at=AT - timedelta(days=899))

        assert codes.read_lease(codes.make_lease(store.instance_key(), lease), store.trusted_keys()) == lease

    def test_a_lease_outlives_its_instances_identity(self, tmp_path):
        store = Keystore.open(tmp_path / "keys.db", tmp_path / "secret", create=True)
        token = codes.make_lease(store.instance_key(), lease_of(store))
        store.new_identity()

        assert codes.read_lease(token, store.trusted_keys()).epoch == 3

    def test_a_strangers_lease_is_refused(self, store, tmp_path):
        stranger = Keystore.open(tmp_path / "keys.db", tmp_path / "secret", create=True)
        token = codes.make_lease(stranger.instance_key(), lease_of(stranger))

        with pytest.raises(UnprovenSignature, match="signer_unknown"):
            codes.read_lease(token, store.trusted_keys())

    def test_a_trusted_site_cannot_speak_for_the_city(self, store, tmp_path):
        site = Keystore.open(tmp_path / "keys.db", tmp_path / "secret", create=True)
        key = site.instance_key()
        store.trust(key.jwk, certificate=store.certify(key.jwk, instance=key.instance, at=AT))
        claims = _claims(lease_of(store))
        token = b64url(sign_claims(key, claims, typ=codes.LEASE))

        with pytest.raises(UnprovenSignature, match="token_forged"):
            codes.read_lease(token, store.trusted_keys())

    @given(where=st.integers(min_value=0), letter=st.sampled_from("ABCxyz019-_=. é"))
    def test_any_altered_letter_is_noticed(self, store, where, letter):
        token = codes.make_lease(store.instance_key(), lease_of(store))
        at = where % len(token)
        altered = token[:at] + letter + token[at + 1 :]

        if altered != token:
            with pytest.raises(UnprovenSignature):
                codes.read_lease(altered, store.trusted_keys())

    @pytest.mark.parametrize("token", ["", "a", "AAAA", "." * 50, "A" * 9000])
    def test_junk_is_malformed(self, store, token):
        with pytest.raises(UnprovenSignature, match="token_malformed"):
            codes.read_lease(token, store.trusted_keys())

    @pytest.mark.parametrize(
        "change",
        [
            {4: None},
            {4: 1e300},
            {4: 10**30},
            {7: b"short"},
            {2: 5},
            {"grids": "12"},
            {"epoch": "3"},
            {"actor": 4},
            {"areas": [1]},
        ],
    )
    def test_a_signed_lease_of_another_shape_is_malformed(self, store, change):
        token = b64url(sign_claims(store.instance_key(), _claims(lease_of(store)) | change, typ=codes.LEASE))

        with pytest.raises(UnprovenSignature, match="token_malformed"):
            codes.read_lease(token, store.trusted_keys())

    def test_one_signs_only_in_ones_own_name(self, store):
        with pytest.raises(ValueError, match="own leases"):
            codes.make_lease(store.instance_key(), lease_of(store, instance=ids.new_id()))

    def test_the_token_is_bearer_text_of_bounded_size(self, store):
        token = codes.make_lease(store.instance_key(), lease_of(store, grids=tuple(range(200))))

        assert len(token) < 1500
        assert unb64url(token)


def test_the_example_in_the_reference_is_true(store):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "codes.md").read_text()
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    jwk = ed25519_jwk(private.public_key())
    one, two, three, four, five = (uuid.UUID(int=(0x01890000_0000_7000_8000 << 48) + n) for n in range(1, 6))
    key = SigningKey(one, key_id(jwk), jwk, private)
    lease = codes.Lease(
        id=two,
        instance=one,
        device=three,
        actor=str(four),
        incident=five,
        areas=("1.3",),
        grids=(12,),
        issued_at=datetime(2026, 1, 5, 1, tzinfo=UTC),
        expires_at=datetime(2026, 1, 6, 1, tzinfo=UTC),
        epoch=3,
    )

    token = codes.make_lease(key, lease)

    assert token in page.replace("\n", "")
    assert jwk["x"] in page
    assert key.kid in page
    assert f"{len(unb64url(token))} bytes, {len(token)} letters" in page


def _claims(lease):
    return {
        1: str(lease.instance),
        2: str(lease.device),
        4: int(lease.expires_at.timestamp()),
        6: int(lease.issued_at.timestamp()),
        7: lease.id.bytes,
        "actor": lease.actor,
        "incident": lease.incident.bytes,
        "areas": list(lease.areas),
        "grids": list(lease.grids),
        "epoch": lease.epoch,
    }
