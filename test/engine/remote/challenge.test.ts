import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseChallenges } from "../../../engine/remote/challenge.ts";

test("a bearer challenge gives realm, service, scope and error", () => {
  const header = `Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push",error="invalid_token"`;
  assert.deepEqual(parseChallenges(header), [
    {
      kind: "bearer",
      realm: "https://auth.example/token",
      service: "registry.example",
      scope: "repository:a/b:pull,push",
      error: "invalid_token",
    },
  ]);
});

test("several challenges in one header or in several are told apart", () => {
  const expected = [
    { kind: "basic", realm: "a, b" },
    { kind: "bearer", realm: "https://t" },
  ];
  assert.deepEqual(parseChallenges(`Negotiate, Basic realm="a, b", Bearer realm=https://t`), expected);
  assert.deepEqual(parseChallenges([`BASIC Realm="a, b"`, `bearer realm="https://t"`]), expected);
});

test("quoted quotes are unquoted", () => {
  assert.deepEqual(parseChallenges(`Basic realm="say \\"hi\\""`), [{ kind: "basic", realm: 'say "hi"' }]);
});

test("nothing, or a bearer without a realm, is no challenge", () => {
  assert.deepEqual(parseChallenges(undefined), []);
  assert.deepEqual(parseChallenges("Bearer service=x"), []);
});

test("no header breaks the parser or holds it up", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000 }), (text) => {
      parseChallenges(text);
    }),
  );
  parseChallenges(`Bearer realm="${"\\".repeat(100_000)}`);
  parseChallenges(" ,".repeat(50_000));
});
