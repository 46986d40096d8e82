# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import stat
import time
import uuid
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from muster.base import clock
from muster.base.crypto import (
    KeyDestroyed,
    Keystore,
    SealBroken,
    blind_index,
    public_jwk,
    read_signed,
    seal,
    seal_many,
    sign_claims,
    thumbprint,
    unseal,
    unseal_many,
    verify,
)
from muster.base.crypto.signing import b64url, ed25519_jwk, unb64url
from muster.base.errors import Refusal, UnprovenSignature

SCOPE = {"purpose": "daily", "sub_district": 7, "klass": "name"}


def open_store(folder: Path, *, create: bool = True) -> Keystore:
    return Keystore.open(folder / "keys.db", folder / "secret", create=create)


@pytest.fixture
def store(tmp_path):
    with_keys = open_store(tmp_path)
    yield with_keys
    with_keys.close()


class TestOpening:
    def test_secret_and_keys_are_for_the_owner_only(self, store, tmp_path):
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "keys.db").stat().st_mode) == 0o600
        assert len((tmp_path / "secret").read_bytes()) == 32

    def test_keys_are_the_same_after_reopening(self, store, tmp_path):
        first = store.data_key(**SCOPE)
        store.close()

        assert open_store(tmp_path, create=False).data_key(**SCOPE) == first

    def test_nothing_is_made_without_being_asked(self, tmp_path):
        with pytest.raises(Refusal, match="keystore_missing"):
            open_store(tmp_path, create=False)

        assert list(tmp_path.iterdir()) == []

    def test_old_keys_never_meet_a_new_secret(self, store, tmp_path):
        store.close()
        (tmp_path / "secret").unlink()

        with pytest.raises(Refusal, match="secret_missing"):
            open_store(tmp_path, create=True)
        assert not (tmp_path / "secret").exists()

    @pytest.mark.parametrize("other", [b"", b"x" * 31, bytes(range(32))])
    def test_another_secret_is_refused_at_once(self, store, tmp_path, other):
        store.close()
        (tmp_path / "secret").write_bytes(other)

        with pytest.raises(Refusal, match="secret_wrong"):
            open_store(tmp_path)

    def test_no_key_shows_when_printed(self, store):
        key = store.data_key(**SCOPE)

        assert repr(key) == f"DataKey(id={key.id})"
        assert "private" not in repr(store.instance_key())


class TestSealing:
    @given(text=st.text(), context=st.binary(max_size=40))
    def test_what_is_sealed_opens_with_its_context_only(self, shared_store, text, context):
        sealed = seal(shared_store, text, **SCOPE, context=context)

        assert unseal(shared_store, sealed, context=context) == text
        with pytest.raises(SealBroken):
            unseal(shared_store, sealed, context=context + b"x")

    @given(where=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
    def test_any_altered_byte_is_noticed(self, shared_store, where, flip):
        sealed = bytearray(seal(shared_store, "张晓明", **SCOPE, context=b"c"))
        sealed[where % len(sealed)] ^= flip

        with pytest.raises(Refusal) as refused:
            unseal(shared_store, bytes(sealed), context=b"c")
        assert refused.value.code in {"seal_broken", "key_unknown"}

    @pytest.mark.parametrize("cut", [0, 1, 33, 34, -1])
    def test_a_cut_value_is_noticed(self, store, cut):
        sealed = seal(store, "张晓明", **SCOPE, context=b"c")

        with pytest.raises(SealBroken):
            unseal(store, sealed[:cut], context=b"c")

    def test_the_same_text_never_looks_the_same(self, store):
        assert len({seal(store, "same", **SCOPE, context=b"c") for _ in range(50)}) == 50

    def test_lists_agree_with_single_values(self, store):
        pairs = [(f"name {n}", b"row %d" % n) for n in range(20)]
        sealed = seal_many(store, pairs, **SCOPE)

        opened = unseal_many(
            store, [(value, context) for value, (_, context) in zip(sealed, pairs, strict=True)]
        )
        assert opened == [text for text, _ in pairs]
        assert unseal(store, sealed[3], context=b"row 3") == "name 3"
        with pytest.raises(SealBroken):
            unseal_many(store, [(sealed[0], b"row 0"), (sealed[1], b"row 0")])

    def test_a_grid_of_names_opens_while_one_types(self, store):
        pairs = [(f"张晓明{n}", b"person|name|%d" % n) for n in range(50_000)]
        sealed = seal_many(store, pairs, **SCOPE)
        asked = [(value, context) for value, (_, context) in zip(sealed, pairs, strict=True)]

        began = time.process_time()
        unseal_many(store, asked)

        # 0.05 s when the machine is quiet; the bound tells a per-value look into the store (10 times slower).
        assert time.process_time() - began < 0.4

    def test_scopes_have_keys_of_their_own(self, store):
        others = [SCOPE, SCOPE | {"purpose": "x"}, SCOPE | {"sub_district": 8}, SCOPE | {"klass": "phone"}]

        keys = [store.data_key(**scope) for scope in others]
        assert len({key.key for key in keys}) == len({key.id for key in keys}) == 4


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return open_store(tmp_path_factory.mktemp("keys"))


class TestDestroying:
    def test_destroyed_scopes_stay_shut_and_others_open(self, store):
        doomed = seal(store, "a", **SCOPE, context=b"c")
        other = seal(store, "b", **(SCOPE | {"sub_district": 8}), context=b"c")

        gone = store.destroy(purpose="daily", sub_district=7)

        assert gone == [1]
        with pytest.raises(KeyDestroyed):
            unseal(store, doomed, context=b"c")
        with pytest.raises(KeyDestroyed):
            store.data_key(**SCOPE)
        with pytest.raises(KeyDestroyed):
            store.data_key(**(SCOPE | {"klass": "never used before"}))
        assert unseal(store, other, context=b"c") == "b"

    def test_destroying_again_is_harmless(self, store):
        store.data_key(**SCOPE)

        assert store.destroy(purpose="daily") == [1]
        assert store.destroy(purpose="daily") == []

    def test_a_whole_purpose_takes_its_blind_key_along(self, store):
        blind_index(store, purpose="daily", value="13900000000")
        kept = blind_index(store, purpose="other", value="13900000000")
        store.destroy(purpose="daily")

        with pytest.raises(KeyDestroyed):
            blind_index(store, purpose="daily", value="13900000000")
        assert blind_index(store, purpose="other", value="13900000000") == kept

    def test_another_process_notices(self, store, tmp_path):
        beside = open_store(tmp_path)
        sealed = seal(beside, "a", **SCOPE, context=b"c")
        assert unseal(beside, sealed, context=b"c") == "a"

        store.destroy(purpose="daily")

        with pytest.raises(KeyDestroyed):
            unseal(beside, sealed, context=b"c")

    def test_no_file_holds_the_wrapped_key_any_more(self, store, tmp_path):
        store.data_key(**SCOPE)
        (wrapped,) = store._vault.current().execute("SELECT wrapped FROM data_key").fetchone()
        assert any(wrapped in path.read_bytes() for path in tmp_path.iterdir())

        store.destroy(purpose="daily")

        assert not any(wrapped in path.read_bytes() for path in tmp_path.iterdir())

    def test_a_destruction_that_cannot_reach_the_log_says_so(self, store, tmp_path):
        store.data_key(**SCOPE)
        beside = open_store(tmp_path)
        reading = beside._vault.current()
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM data_key").fetchall()
        store._vault.current().execute("PRAGMA busy_timeout=50")

        with pytest.raises(Refusal, match="keystore_busy"):
            store.destroy(purpose="daily")
        reading.execute("ROLLBACK")
        assert store.destroy(purpose="daily") == []


def _first_key(arguments):
    folder, barrier_at = arguments
    while time.time() < barrier_at:
        pass
    store = open_store(folder)
    return store.data_key(**SCOPE).key, store.blind_key(purpose="daily"), store.instance_key().kid


class TestSeveralProcesses:
    def test_first_use_by_four_at_once_makes_one_key(self, tmp_path):
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            made = pool.map(_first_key, [(tmp_path, time.time() + 1.5)] * 4, chunksize=1)

        assert len(set(made)) == 1

    def test_a_forked_child_opens_its_own_connection(self, store):
        mine = store.data_key(**SCOPE)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(
                    writing, store.data_key(**SCOPE).key + store.data_key(**(SCOPE | {"klass": "new"})).key
                )
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        told = os.read(reading, 64)

        assert told == mine.key + store.data_key(**(SCOPE | {"klass": "new"})).key


class TestBlindIndex:
    def test_equal_values_match_within_a_purpose_only(self, store):
        assert blind_index(store, purpose="a", value="x") == blind_index(store, purpose="a", value="x")
        assert blind_index(store, purpose="a", value="x") != blind_index(store, purpose="b", value="x")
        assert blind_index(store, purpose="a", value="x") != blind_index(store, purpose="a", value="y")
        assert len(blind_index(store, purpose="a", value="x")) == 16

    @pytest.mark.parametrize("blank", ["", " ", "\u3000\t"])
    def test_blanks_never_match(self, store, blank):
        with pytest.raises(Refusal, match="blind_value_blank"):
            blind_index(store, purpose="a", value=blank)


def p256():
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    return key, {
        "kty": "EC",
        "crv": "P-256",
        "x": b64url(numbers.x.to_bytes(32)),
        "y": b64url(numbers.y.to_bytes(32)),
    }


def sign_p256(key, body):
    r, s = decode_dss_signature(key.sign(body, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


class TestDeviceSignatures:
    def test_both_algorithms_hold_for_the_exact_bytes_only(self):
        key, jwk = p256()
        signature = sign_p256(key, b"body")
        ed = Ed25519PrivateKey.generate()
        ed_jwk = ed25519_jwk(ed.public_key())

        assert verify("ES256", jwk, b"body", signature)
        assert not verify("ES256", jwk, b"body ", signature)
        assert verify("Ed25519", ed_jwk, b"body", ed.sign(b"body"))
        assert not verify("Ed25519", ed_jwk, b"", ed.sign(b"body"))

    def test_the_algorithm_is_the_keys_own(self):
        key, jwk = p256()
        ed = Ed25519PrivateKey.generate()

        assert not verify("Ed25519", jwk, b"body", sign_p256(key, b"body"))
        assert not verify("ES256", ed25519_jwk(ed.public_key()), b"body", ed.sign(b"body"))
        assert not verify("none", jwk, b"body", b"")

    def test_a_der_signature_is_no_raw_one(self):
        key, jwk = p256()

        assert not verify("ES256", jwk, b"body", key.sign(b"body", ec.ECDSA(hashes.SHA256())))

    @given(
        alg=st.sampled_from(["ES256", "Ed25519", "", "none"]),
        jwk=st.dictionaries(
            st.sampled_from(["kty", "crv", "x", "y", "d"]),
            st.one_of(
                st.sampled_from(["EC", "OKP", "P-256", "Ed25519", "A" * 43]),
                st.text(),
                st.none(),
                st.integers(),
                st.lists(st.integers()),
            ),
        ),
        signature=st.binary(max_size=80) | st.binary(min_size=64, max_size=64),
    )
    def test_hostile_input_is_false_never_an_error(self, alg, jwk, signature):
        assert verify(alg, jwk, b"body", signature) is False

    @pytest.mark.parametrize(
        "jwk", [None, [], "x", {"kty": 1, "crv": {}}, {"kty": "EC", "crv": "P-256", "x": ["a"]}]
    )
    def test_a_key_of_any_shape_is_just_false(self, jwk):
        assert verify("ES256", jwk, b"body", bytes(64)) is False
        assert verify("Ed25519", jwk, b"body", None) is False


class TestPublicKeys:
    def test_only_the_bare_public_members_are_kept(self):
        _, jwk = p256()

        assert public_jwk(jwk | {"kid": "x", "ext": True, "key_ops": ["verify"]}) == jwk

    def test_the_thumbprint_is_the_standards(self):
        # RFC 8037, appendix A.3
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

        assert b64url(thumbprint(jwk)) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    @pytest.mark.parametrize(
        "change",
        [
            {"kty": "RSA"},
            {"crv": "P-384"},
            {"x": "short"},
            {"x": "A" * 43},  # not on the curve
            {"y": None},
            {"d": "AAAA"},  # a private key must not travel
            {"x": "/" * 43},
        ],
    )
    def test_other_keys_are_refused(self, change):
        _, jwk = p256()

        with pytest.raises(Refusal, match="key_bad"):
            public_jwk(jwk | change)

    @given(raw=st.binary(max_size=40))
    def test_base64url_has_one_spelling(self, raw):
        assert unb64url(b64url(raw)) == raw
        with pytest.raises(ValueError, match="base64url"):
            unb64url(b64url(raw) + "=")


class TestIdentity:
    def test_a_restored_instance_is_somebody_else_but_keeps_its_word(self, store):
        old = store.instance_key()
        new = store.new_identity()

        assert new.instance != old.instance
        assert store.instance_key() == new
        trusted = {key.kid: key for key in store.trusted_keys()}
        assert trusted[old.kid].retired_at is not None
        assert trusted[new.kid].retired_at is None

    def test_a_site_is_trusted_by_the_citys_certificate(self, store, tmp_path):
        site = open_store(tmp_path / "site").instance_key()
        certificate = store.certify(site.jwk, instance=site.instance, at=clock.now())

        made = store.trust(site.jwk, certificate=certificate)

        assert (made.kid, made.instance, made.own) == (site.kid, site.instance, False)
        assert made in store.trusted_keys()

    def test_a_certificate_fits_its_own_key_only(self, store, tmp_path):
        site, other = (open_store(tmp_path / name).instance_key() for name in ("site", "other"))
        certificate = store.certify(site.jwk, instance=site.instance, at=clock.now())

        with pytest.raises(UnprovenSignature, match="certificate_of_another_key"):
            store.trust(other.jwk, certificate=certificate)

    def test_a_stranger_cannot_certify(self, store, tmp_path):
        stranger = open_store(tmp_path / "stranger")
        site = open_store(tmp_path / "site").instance_key()

        with pytest.raises(UnprovenSignature, match="signer_unknown"):
            store.trust(
                site.jwk, certificate=stranger.certify(site.jwk, instance=site.instance, at=clock.now())
            )
        assert len(store.trusted_keys()) == 1

    def test_a_certified_site_cannot_certify_further(self, store, tmp_path):
        site, third = open_store(tmp_path / "site"), open_store(tmp_path / "third").instance_key()
        key = site.instance_key()
        store.trust(key.jwk, certificate=store.certify(key.jwk, instance=key.instance, at=clock.now()))

        with pytest.raises(UnprovenSignature, match="signer_unknown"):
            store.trust(
                third.jwk, certificate=site.certify(third.jwk, instance=third.instance, at=clock.now())
            )

    def test_a_site_pins_the_city_and_then_takes_its_certificates(self, store, tmp_path):
        site, sister = open_store(tmp_path / "site"), open_store(tmp_path / "sister").instance_key()
        city = store.instance_key()
        site.pin(city.jwk, instance=city.instance)

        made = site.trust(
            sister.jwk, certificate=store.certify(sister.jwk, instance=sister.instance, at=clock.now())
        )
        assert made.kid == sister.kid


class TestSignedClaims:
    def test_claims_come_back_with_their_signer(self, store):
        token = sign_claims(store.instance_key(), {1: "x", "more": [1, b"y"]}, typ="t")

        claims, key = read_signed(token, store.trusted_keys(), typ="t")
        assert claims == {1: "x", "more": [1, b"y"]}
        assert key.kid == store.instance_key().kid

    def test_one_kind_cannot_serve_as_another(self, store):
        token = sign_claims(store.instance_key(), {1: "x"}, typ="muster-pass")

        with pytest.raises(UnprovenSignature, match="token_malformed"):
            read_signed(token, store.trusted_keys(), typ="muster-lease")

    @given(where=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
    def test_any_altered_byte_is_noticed(self, shared_store, where, flip):
        token = bytearray(sign_claims(shared_store.instance_key(), {1: "x"}, typ="t"))
        token[where % len(token)] ^= flip

        with pytest.raises(UnprovenSignature):
            read_signed(bytes(token), shared_store.trusted_keys(), typ="t")

    @given(junk=st.binary(max_size=200))
    def test_junk_is_malformed(self, shared_store, junk):
        with pytest.raises(UnprovenSignature):
            read_signed(junk, shared_store.trusted_keys(), typ="t")

    @pytest.mark.parametrize(
        "unsigned",
        [
            {1: "x"},
            cbor2.CBORTag(61, {1: "x"}),
            cbor2.CBORTag(17, [b"", {}, b"", b""]),
            cbor2.CBORTag(18, [b"", {}, b"", b""]),
            cbor2.CBORTag(18, [cbor2.dumps({1: -8, 16: "t", 4: 7}), {}, b"", bytes(64)]),
            [[[[[]]]]],
        ],
        ids=str,
    )
    def test_an_unsigned_token_is_never_read(self, store, unsigned):
        with pytest.raises(UnprovenSignature, match="token_malformed"):
            read_signed(cbor2.dumps(unsigned), store.trusted_keys(), typ="t")

    def test_two_keys_of_one_name_are_both_tried(self, store, tmp_path):
        signer = store.instance_key()
        token = sign_claims(signer, {1: "x"}, typ="t")
        (good,) = store.trusted_keys()
        twin = type(good)(uuid.uuid4(), good.kid, open_store(tmp_path / "o").instance_key().jwk, own=False)

        assert read_signed(token, [twin, good], typ="t")[1] is good
        with pytest.raises(UnprovenSignature, match="token_forged"):
            read_signed(token, [twin], typ="t")

    def test_a_deep_token_is_malformed_not_a_crash(self, store):
        with pytest.raises(UnprovenSignature, match="token_malformed"):
            read_signed(b"\x81" * 4000 + b"\x00", store.trusted_keys(), typ="t")
