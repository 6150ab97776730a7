import assert from "node:assert/strict";
import { test } from "node:test";
import {
  choosePlatform,
  formatPlatform,
  parsePlatform,
  platformDistance,
  samePlatform,
} from "../../../engine/oci/platform.ts";

for (const [text, normalised] of [
  ["linux/amd64", "linux/amd64"],
  ["amd64", "linux/amd64"],
  ["linux/x86_64", "linux/amd64"],
  ["linux/amd64/v1", "linux/amd64"],
  ["linux/amd64/v3", "linux/amd64/v3"],
  ["arm64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/armhf", "linux/arm/v7"],
  ["linux/armel", "linux/arm/v6"],
  ["linux/arm/6", "linux/arm/v6"],
  ["Linux/AMD64", "linux/amd64"],
  ["windows/amd64", "windows/amd64"],
  ["macos/arm64", "darwin/arm64"],
  ["linux/s390x", "linux/s390x"],
] as const) {
  test(`${text} means ${normalised}`, () => {
    assert.equal(formatPlatform(parsePlatform(text)), normalised);
    assert.ok(samePlatform(parsePlatform(text), parsePlatform(normalised)));
  });
}

for (const text of ["", "/", "linux/", "linux/amd64/v1/x", "linux amd64", "linux/amd64\n"]) {
  test(`${JSON.stringify(text)} is not a platform`, () => {
    assert.throws(() => parsePlatform(text), { code: "PLATFORM_INVALID" });
  });
}

test("an older variant runs on a newer machine, a newer one does not", () => {
  const arm = (variant: string) => parsePlatform(`linux/arm/${variant}`);
  assert.equal(platformDistance(arm("v7"), arm("v7")), 0);
  assert.equal(platformDistance(arm("v7"), arm("v6")), 1);
  assert.equal(platformDistance(arm("v6"), arm("v7")), undefined);
  assert.equal(platformDistance(parsePlatform("arm64"), arm("v7")), undefined);
  assert.equal(platformDistance(parsePlatform("linux/amd64/v3"), parsePlatform("amd64")), 2);
});

test("of several manifests the nearest is chosen, and nothing rather than the wrong one", () => {
  const entries = ["linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm64/v8"].map((text) => {
    const [os = "", architecture = "", variant] = text.split("/");
    return { text, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } };
  });
  assert.equal(choosePlatform(entries, parsePlatform("linux/arm/v7"))?.text, "linux/arm/v6");
  assert.equal(choosePlatform(entries, parsePlatform("arm64"))?.text, "linux/arm64/v8");
  assert.equal(choosePlatform(entries, parsePlatform("linux/s390x")), undefined);
  assert.equal(choosePlatform([{}], parsePlatform("amd64")), undefined);
});
