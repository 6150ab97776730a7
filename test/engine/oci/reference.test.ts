import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { familiarReference, formatReference, parseReference, withDefaultTag } from "../../../engine/oci/reference.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

/** Text → normalised form and the short form people write. */
const cases: readonly (readonly [text: string, normalised: string, familiar: string])[] = [
  ["nginx", "docker.io/library/nginx", "nginx"],
  ["nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25"],
  ["a/b:1", "docker.io/a/b:1", "a/b:1"],
  ["docker.io/nginx", "docker.io/library/nginx", "nginx"],
  ["docker.io/library/nginx", "docker.io/library/nginx", "nginx"],
  ["index.docker.io/library/nginx", "docker.io/library/nginx", "nginx"],
  ["library/nginx", "docker.io/library/nginx", "nginx"],
  ["docker.io/library/a/b", "docker.io/library/a/b", "docker.io/library/a/b"],
  ["registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"],
  ["localhost/foo:v1", "localhost/foo:v1", "localhost/foo:v1"],
  ["localhost:5000/x/y", "localhost:5000/x/y", "localhost:5000/x/y"],
  ["127.0.0.1:5000/x", "127.0.0.1:5000/x", "127.0.0.1:5000/x"],
  ["[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"],
  ["[fe80::1]/x", "[fe80::1]/x", "[fe80::1]/x"],
  ["HOST/x:Tag", "HOST/x:Tag", "HOST/x:Tag"],
  ["Example.COM/app", "Example.COM/app", "Example.COM/app"],
  ["sea.hub:5000/library/centos:7", "sea.hub:5000/library/centos:7", "sea.hub:5000/library/centos:7"],
  [`nginx@${digest}`, `docker.io/library/nginx@${digest}`, `nginx@${digest}`],
  [`quay.io/a/b:v1@${digest}`, `quay.io/a/b:v1@${digest}`, `quay.io/a/b:v1@${digest}`],
  ["foo__bar/b-a_z.q", "docker.io/foo__bar/b-a_z.q", "foo__bar/b-a_z.q"],
  ["a--b/c", "docker.io/a--b/c", "a--b/c"],
  ["foo/localhost", "docker.io/foo/localhost", "foo/localhost"],
  ["x:_tag", "docker.io/library/x:_tag", "x:_tag"],
];

for (const [text, normalised, familiar] of cases) {
  test(`${text} means ${normalised}`, () => {
    assert.equal(formatReference(parseReference(text)), normalised);
  });
  test(`${text} is shown as ${familiar}, which means the same`, () => {
    assert.equal(familiarReference(parseReference(text)), familiar);
    assert.deepEqual(parseReference(familiar), parseReference(text));
  });
}

const refused: readonly (readonly [text: string, reason: RegExp])[] = [
  ["", /empty/],
  ["Nginx", /lower case/],
  ["a.io/App", /lower case/],
  ["0123456789abcdef".repeat(4), /image id/],
  ["nginx:", /tag/],
  ["nginx:-x", /tag/],
  [`nginx:${"t".repeat(129)}`, /tag/],
  ["nginx@sha256:12", /not a digest/],
  ["nginx@", /not a digest/],
  ["a//b", /empty/],
  ["a/b/", /empty/],
  ["/a", /host|empty/],
  ["a/-b", /valid part/],
  ["a/b___c", /valid part/],
  ["a/b..c", /valid part/],
  ["https://example.com/a", /./],
  ["user:pw@host/a", /./],
  ["a b", /valid part/],
  ["a/../b", /./],
  ["-host.io/a", /host name/],
  [`a/${"b".repeat(254)}`, /255/],
  ["nginx:1\n", /./],
];

for (const [text, reason] of refused) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused with a reason`, () => {
    assert.throws(() => parseReference(text), { code: "REFERENCE_INVALID", message: reason });
  });
}

test("latest is added only where neither tag nor digest is", () => {
  assert.equal(withDefaultTag(parseReference("a")).tag, "latest");
  assert.equal(withDefaultTag(parseReference("a:1")).tag, "1");
  assert.equal(withDefaultTag(parseReference(`a@${digest}`)).tag, undefined);
});

test("normalising twice changes nothing", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,6}$/);
  const host = fc.constantFrom("", "localhost/", "a.io/", "A.io:443/", "docker.io/", "localhost:1/", "[::1]/");
  const tag = fc.constantFrom("", ":1", ":Latest_0");
  fc.assert(
    fc.property(host, fc.array(word, { minLength: 1, maxLength: 4 }), tag, (h, path, t) => {
      const once = parseReference(`${h}${path.join("/")}${t}`);
      assert.deepEqual(parseReference(formatReference(once)), once);
      assert.deepEqual(parseReference(familiarReference(once)), once);
    }),
  );
});

test("no text makes it throw anything but its own error", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."aA0.:/@_-[] \n") }), (text) => {
      try {
        parseReference(text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "REFERENCE_INVALID");
      }
    }),
    { numRuns: 1000 },
  );
});
