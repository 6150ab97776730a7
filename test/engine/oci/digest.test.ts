import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson, compareBytewise } from "../../../engine/oci/canonicalJson.ts";
import {
  Digester,
  digestAlgorithm,
  digestHex,
  digestOf,
  parseDigest,
  shortDigest,
} from "../../../engine/oci/digest.ts";

const emptySha256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("the digest of nothing is the one everybody knows", () => {
  assert.equal(digestOf(""), emptySha256);
  assert.equal(shortDigest(digestOf("")), "e3b0c44298fc");
});

test("sha512 digests are read and made", () => {
  const digest = digestOf("abc", "sha512");
  assert.equal(digestAlgorithm(parseDigest(digest)), "sha512");
  assert.equal(digestHex(digest).length, 128);
});

for (const text of [
  "",
  "sha256",
  "sha256:",
  `sha256:${"0".repeat(63)}`,
  `sha256:${"0".repeat(65)}`,
  `sha256:${"A".repeat(64)}`,
  `sha512:${"0".repeat(64)}`,
  `md5:${"0".repeat(32)}`,
  `${emptySha256}\n`,
  ` ${emptySha256}`,
  "sha256:../../../etc/passwd",
]) {
  test(`${JSON.stringify(text)} is not a digest`, () => {
    assert.throws(() => parseDigest(text), { code: "DIGEST_INVALID" });
  });
}

test("hashing in pieces gives the digest of the whole", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
      const digester = new Digester();
      for (const chunk of chunks) digester.update(chunk);
      const whole = Buffer.concat(chunks);
      assert.equal(digester.sizeBytes, whole.length);
      assert.equal(digester.finish(), digestOf(whole));
    }),
  );
});

test("canonical JSON sorts members by the bytes of their names at every depth", () => {
  assert.equal(canonicalJson({ b: 1, a: [{ d: null, c: "x" }], "": true }), '{"":true,"a":[{"c":"x","d":null}],"b":1}');
  assert.equal(canonicalJson({ "2": 0, "10": 0, gone: undefined }), '{"10":0,"2":0}');
});

test("canonical JSON does not depend on the order members were written in", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), (value) => {
      const shuffled = Object.fromEntries(Object.entries(value).reverse());
      assert.equal(canonicalJson(shuffled as never), canonicalJson(value as never));
    }),
  );
});

test("canonical JSON says what it was given", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value as never)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("a number JSON cannot hold is refused rather than written as null", () => {
  assert.throws(() => canonicalJson({ size: Number.NaN }), TypeError);
});

test("names are ordered as their UTF-8 bytes are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      const bytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.equal(Math.sign(compareBytewise(a, b)), bytes);
    }),
  );
});
