import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeConfig, parseConfig } from "../../../engine/oci/config.ts";
import { digestOf } from "../../../engine/oci/digest.ts";
import { encodeIndex, parseIndex, parseManifestOrIndex } from "../../../engine/oci/index.ts";
import { encodeManifest, parseManifest } from "../../../engine/oci/manifest.ts";
import { mediaTypes } from "../../../engine/oci/mediaTypes.ts";

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const descriptor = { mediaType: mediaTypes.ociLayer, digest: digestOf("x"), size: 1 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [descriptor] };

test("a manifest is read, and written back to a manifest that says the same", () => {
  const read = parseManifest(bytes({ ...manifest, annotations: { b: "2", a: "1" } }), "m");
  assert.equal(read.layers.length, 1);
  assert.deepEqual(parseManifest(encodeManifest(read), "m"), read);
});

test("the same manifest has the same bytes whatever order its members came in", () => {
  const a = parseManifest(bytes({ ...manifest, annotations: { b: "2", a: "1" } }), "m");
  const b = parseManifest(
    bytes({ annotations: { a: "1", b: "2" }, layers: [descriptor], config: descriptor, schemaVersion: 2 }),
    "m",
  );
  assert.deepEqual(Buffer.from(encodeManifest(a)), Buffer.from(encodeManifest(b)));
});

test("a manifest without media type is OCI's", () => {
  const { mediaType: _, ...without } = manifest;
  assert.equal(parseManifest(bytes(without), "m").mediaType, mediaTypes.ociManifest);
});

test("Docker's schema 2 is read under its own media type", () => {
  assert.equal(
    parseManifest(bytes({ ...manifest, mediaType: mediaTypes.dockerManifest }), "m").mediaType,
    mediaTypes.dockerManifest,
  );
});

test("Go's null for an empty list is an empty list", () => {
  assert.deepEqual(parseManifest(bytes({ ...manifest, layers: null }), "m").layers, []);
});

const wrongManifests: readonly (readonly [string, unknown, RegExp])[] = [
  ["text", "x", /an object was expected/],
  ["schema 1", { ...manifest, schemaVersion: 1 }, /schema 1 is not supported/],
  ["no config", { ...manifest, config: undefined }, /"config" is missing/],
  ["a config without digest", { ...manifest, config: { mediaType: "a/b", size: 1 } }, /at config: "digest" is missing/],
  ["a digest that is a path", { ...manifest, config: { ...descriptor, digest: "sha256:../x" } }, /config.digest/],
  ["a negative size", { ...manifest, layers: [{ ...descriptor, size: -1 }] }, /layers\[0\].size/],
  ["a size no double holds", { ...manifest, layers: [{ ...descriptor, size: 2 ** 60 }] }, /layers\[0\].size/],
  ["layers as an object", { ...manifest, layers: {} }, /a list was expected/],
  ["annotations that are numbers", { ...manifest, annotations: { a: 1 } }, /annotations.a: text was expected/],
  ["another media type", { ...manifest, mediaType: "text/plain" }, /not known/],
  ["an index in disguise", { ...manifest, manifests: [] }, /must not have "manifests"/],
];

for (const [what, value, message] of wrongManifests) {
  test(`a manifest with ${what} is refused with the place`, () => {
    assert.throws(() => parseManifest(bytes(value), "manifest m"), { code: "DOCUMENT_INVALID", message });
  });
}

test("what is not JSON or not UTF-8 is refused", () => {
  assert.throws(() => parseManifest(Buffer.from("{"), "m"), { code: "DOCUMENT_INVALID", message: /not JSON/ });
  assert.throws(() => parseManifest(Buffer.from([0x22, 0xff, 0x22]), "m"), {
    code: "DOCUMENT_INVALID",
    message: /UTF-8/,
  });
});

test("a member called __proto__ is a name like any other", () => {
  const read = parseManifest(
    Buffer.from(JSON.stringify(manifest).replace("{", '{"annotations":{"__proto__":"x"},')),
    "m",
  );
  assert.equal(Object.getOwnPropertyDescriptor(read.annotations, "__proto__")?.value, "x");
  assert.match(Buffer.from(encodeManifest(read)).toString(), /"__proto__":"x"/);
});

test("an index is told from a manifest by its media type, or by its members", () => {
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor,
        mediaType: mediaTypes.ociManifest,
        platform: { os: "linux", architecture: "arm64", variant: "v8" },
      },
    ],
  };
  assert.equal(parseManifestOrIndex(bytes(index), "i").kind, "index");
  assert.equal(parseManifestOrIndex(bytes({ ...index, mediaType: mediaTypes.dockerManifestList }), "i").kind, "index");
  assert.equal(parseManifestOrIndex(bytes(manifest), "i").kind, "manifest");
  const read = parseIndex(bytes(index), "i");
  assert.equal(read.manifests[0]?.platform?.variant, "v8");
  assert.deepEqual(parseIndex(encodeIndex(read), "i"), read);
});

test("a configuration keeps all that the specification and Docker name", () => {
  const value = {
    created: "1970-01-01T00:00:00Z",
    author: "a",
    architecture: "arm64",
    os: "linux",
    "os.version": "1",
    variant: "v8",
    config: {
      User: "1:1",
      ExposedPorts: { "80/tcp": {} },
      Env: ["A=1"],
      Entrypoint: ["/a"],
      Cmd: null,
      Volumes: { "/v": {} },
      WorkingDir: "/w",
      Labels: { a: "b" },
      StopSignal: "SIGTERM",
      Healthcheck: { Test: ["CMD", "x"], Interval: 5_000_000_000, Retries: 3 },
      OnBuild: ["RUN x"],
      Shell: ["/bin/sh", "-c"],
    },
    rootfs: { type: "layers", diff_ids: [digestOf("x")] },
    history: [{ created_by: "COPY", empty_layer: true, comment: "c" }],
  };
  const read = parseConfig(bytes(value), "c");
  const { Cmd: _, ...config } = value.config;
  assert.deepEqual(read, { ...value, config });
  assert.deepEqual(parseConfig(encodeConfig(read), "c"), read);
});

test("a configuration without layers list or with another root file system type is refused", () => {
  assert.throws(() => parseConfig(bytes({ os: "linux", architecture: "amd64" }), "c"), { code: "DOCUMENT_INVALID" });
  assert.throws(() => parseConfig(bytes({ os: "linux", architecture: "amd64", rootfs: { type: "x" } }), "c"), {
    code: "DOCUMENT_INVALID",
    message: /only "layers"/,
  });
});
