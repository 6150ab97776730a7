import assert from "node:assert/strict";
import { test } from "node:test";
import { sealerLineImages, sealerListImages, sealerNormalised } from "../../../engine/discover/sealerScan.ts";

test("sealer's line scan takes every line whose key ends with image, and understands nothing else", () => {
  assert.deepEqual(
    sealerLineImages(`
image: a:1
  vmagent-image: "b:2"
- image: "c:3",
#image: d:4
imagePullPolicy: Always
image: string
image: e:5 # note
initImage: f:6
containers: [{name: x, image: g:7}]
image:
image: 'h:8'
image: a:1
`),
    ["a:1", "b:2", "c:3", "string", "e:5#note", "h:8"],
  );
});

test("sealer's list keeps a comment behind a name and drops comment lines", () => {
  assert.deepEqual(sealerListImages("# list\nnginx\n\n'quay.io/a/b:1'\nnginx\n"), ["nginx", "quay.io/a/b:1"]);
});

for (const [name, expected] of [
  ["nginx", "docker.io/library/nginx"],
  ["a/b:1", "docker.io/a/b:1"],
  ["quay.io/a/b:1", "quay.io/a/b:1"],
  ["localhost:5000/x", "localhost:5000/x"],
  ["string", "docker.io/library/string"],
  ["A/b:1", "A/b:1"],
  ["a/B:1", undefined],
  ["{{.Values.image}}", undefined],
  ["e:5#note", undefined],
] as const)
  test(`sealer normalises "${name}" to ${expected ?? "nothing"}`, () => {
    assert.equal(sealerNormalised(name), expected);
  });
