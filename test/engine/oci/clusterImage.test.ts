import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatContainerImages,
  formatImageExtension,
  type ImageExtension,
  parseContainerImages,
  parseImageExtension,
} from "../../../engine/oci/clusterImage.ts";

const extension: ImageExtension = {
  buildClient: { sealerVersion: "v0.11.0", buildahVersion: "1.27.1" },
  schemaVersion: "v1alpha1",
  type: "app-installer",
  applications: [
    { name: "shop", type: "kube", files: ["shop.yaml"], version: "v1", env: { PORT: "80" } },
    { name: "mix", version: "v1", cmds: ["bash", "install.sh"] },
  ],
  env: { Region: "eu" },
  launch: { app_names: ["shop"] },
};

test("the annotation has sealer's member names, applications in order of name", () => {
  assert.equal(
    formatImageExtension(extension),
    '{"applications":[{"cmds":["bash","install.sh"],"name":"mix","version":"v1"},' +
      '{"env":{"PORT":"80"},"files":["shop.yaml"],"name":"shop","type":"kube","version":"v1"}],' +
      '"buildClient":{"buildahVersion":"1.27.1","sealerVersion":"v0.11.0"},"env":{"Region":"eu"},' +
      '"launch":{"app_names":["shop"]},"schemaVersion":"v1alpha1","type":"app-installer"}',
  );
});

test("what was written is read back", () => {
  const read = parseImageExtension(formatImageExtension(extension), "e");
  assert.deepEqual(read, { ...extension, applications: extension.applications?.toReversed() });
});

test("the order applications were declared in does not show", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 6 }), (names) => {
      const applications = names.map((name) => ({ name, version: "v1" }));
      assert.equal(
        formatImageExtension({ ...extension, applications }),
        formatImageExtension({ ...extension, applications: applications.toReversed() }),
      );
    }),
  );
});

test("an image of sealer's own hand is read: empty launch, null maps, unknown members, an unchecked type", () => {
  const read = parseImageExtension(
    '{"buildClient":{"sealerVersion":"0.9","buildahVersion":""},"schemaVersion":"v1alpha1","type":"whatever","labels":null,"launch":{},"new":1}',
    "e",
  );
  assert.equal(read.type, "kube-installer");
  assert.deepEqual(read.launch, {});
});

test("files of sealer 0.9.0 go by another name", () => {
  const read = parseImageExtension(
    '{"type":"app-installer","applications":[{"name":"a","version":"v1","launchfiles":["x"]}]}',
    "e",
  );
  assert.deepEqual(read.applications?.[0]?.files, ["x"]);
});

test("what is no extension is refused with the place", () => {
  assert.throws(() => parseImageExtension("[]", "annotation"), { code: "DOCUMENT_INVALID" });
  assert.throws(() => parseImageExtension('{"applications":[{}]}', "annotation"), { message: /applications\[0\]/ });
});

test("container images are listed once each, in order, and none gives no annotation", () => {
  const platform = { os: "linux", architecture: "amd64" };
  const a = { image: "docker.io/library/a:1", platform };
  const b = { image: "docker.io/library/b:1", appName: "shop", platform };
  const text = formatContainerImages([b, a, b]);
  assert.deepEqual(parseContainerImages(text ?? "", "c"), [a, b]);
  assert.equal(formatContainerImages([]), undefined);
  assert.deepEqual(parseContainerImages("null", "c"), []);
  assert.deepEqual(parseContainerImages('[{"image":"x","platform":null}]', "c"), [{ image: "x" }]);
});
