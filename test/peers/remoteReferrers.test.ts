import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseManifest } from "../../engine/oci/manifest.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { imageSboms } from "../../engine/operations/sbom.ts";
import { readSmallBlob } from "../../engine/remote/blobs.ts";
import { getManifest } from "../../engine/remote/manifests.ts";
import { push } from "../../engine/remote/push.ts";
import { listReferrers } from "../../engine/remote/referrers.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { startRegistry } from "../support/registryServer.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryStore } from "../support/temporary.ts";
import { tagTestIndex } from "../support/testImages.ts";

const signal = AbortSignal.timeout(60_000);
const spdx = "application/spdx+json";

suite("referrers go along with a push", { skip: skipWithoutProgram("docker-registry") }, () => {
  for (const peer of ["docker-registry", "our registry"] as const) {
    for (const compression of ["none", { algorithm: "gzip", level: 1 }] as const) {
      const how = compression === "none" ? "as they are" : "compressed";
      test(`SBOMs of every platform are found at ${peer} from the images as they are there, layers ${how}`, async () => {
        await using registry = peer === "docker-registry" ? await startDockerRegistry() : await ours();
        await using here = await temporaryStore();
        await using client = testClient();
        const name = `${registry.host}/shop:1`;
        const source = await tagTestIndex(here.store, name, signal);
        const sboms = await imageSboms(here.store, { reference: name, attach: true }, signal);
        const request = { source, destination: parseReference(name), platforms: { kind: "all" }, compression } as const;
        const pushed = await push(client, here.store, request, () => undefined, signal);
        assert.deepEqual(pushed.referrers, { sent: 2, signaturesLeft: 0 });
        const where = { what: "test", host: registry.host, repository: "shop" };
        const { bytes } = await getManifest(client, where, "1", signal);
        const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
          manifests: { digest: Parameters<typeof listReferrers>[2] }[];
        };
        for (const [i, { digest }] of manifests.entries()) {
          const [referrer, ...others] = await listReferrers(client, where, digest, spdx, signal);
          assert.equal(others.length, 0);
          const found = await getManifest(client, where, referrer?.digest ?? assert.fail(), signal);
          const manifest = parseManifest(found.bytes, "referrer");
          assert.equal(manifest.subject?.digest, digest);
          const document = await readSmallBlob(client, where, manifest.layers[0] ?? assert.fail(), signal);
          assert.deepEqual(Buffer.from(document), Buffer.from(sboms[i]?.document ?? assert.fail()));
        }
        const again = await push(client, here.store, request, () => undefined, signal);
        assert.equal(again.movedBytes, 0);
      });
    }
  }
});

async function ours() {
  const registry = await startRegistry();
  return { host: new URL(registry.url).host, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}
