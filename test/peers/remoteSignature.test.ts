import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { suite, test } from "node:test";
import { parseManifest } from "../../engine/oci/manifest.ts";
import { parseReference } from "../../engine/oci/reference.ts";
import { signatureTag } from "../../engine/oci/signature.ts";
import { readSmallBlob } from "../../engine/remote/blobs.ts";
import { copy } from "../../engine/remote/copy.ts";
import { getManifest } from "../../engine/remote/manifests.ts";
import { push } from "../../engine/remote/push.ts";
import { listReferrers } from "../../engine/remote/referrers.ts";
import { signImage, verifySignature } from "../../engine/remote/signature.ts";
import { startDockerRegistry } from "../support/dockerRegistry.ts";
import { testClient } from "../support/registryClient.ts";
import { startRegistry } from "../support/registryServer.ts";
import { skipWithoutProgram } from "../support/requirement.ts";
import { temporaryDir, temporaryStore } from "../support/temporary.ts";
import { tagTestImage } from "../support/testImages.ts";

const signal = AbortSignal.timeout(60_000);
const ecdsa = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A registry with an image in it. */
async function withImage(
  host: string,
  act: (at: {
    client: ReturnType<typeof testClient>;
    where: Parameters<typeof getManifest>[1];
    image: Awaited<ReturnType<typeof push>>["descriptor"];
  }) => Promise<void>,
) {
  await using here = await temporaryStore();
  await using client = testClient();
  const source = await tagTestImage(here.store, `${host}/signed:v1`, signal);
  const destination = parseReference(`${host}/signed:v1`);
  const request = { source, destination, platforms: { kind: "all" }, compression: "none" } as const;
  const { descriptor: image } = await push(client, here.store, request, () => undefined, signal);
  await act({ client, where: { what: "test", host, repository: "signed" }, image });
}

suite("signatures", { skip: skipWithoutProgram("docker-registry") }, () => {
  for (const peer of ["docker-registry", "our registry"] as const) {
    test(`an image in ${peer} is signed once by each key and verified by it`, async () => {
      await using registry = peer === "docker-registry" ? await startDockerRegistry() : await ours();
      await withImage(registry.host, async ({ client, where, image }) => {
        const [first, second, stranger] = [ecdsa(), generateKeyPairSync("ed25519"), ecdsa()];
        await assert.rejects(verifySignature(client, where, image.digest, first.publicKey, signal), {
          code: "SIGNATURE_MISSING",
        });
        const name = `${registry.host}/signed`;
        assert.equal(await signImage(client, where, image, name, first.privateKey, signal), "signed");
        assert.equal(await signImage(client, where, image, name, first.privateKey, signal), "already signed");
        assert.equal(await signImage(client, where, image, name, second.privateKey, signal), "signed");
        for (const { publicKey } of [first, second]) {
          const [signature] = await verifySignature(client, where, image.digest, publicKey, signal);
          assert.equal(signature?.identity, name);
        }
        await assert.rejects(verifySignature(client, where, image.digest, stranger.publicKey, signal), {
          code: "SIGNATURE_INVALID",
          message: /none of the 2 signatures/,
        });
        assert.ok((await listReferrers(client, where, image.digest, undefined, signal)).length > 0);
      });
    });
  }

  test("what lies under cosign's tag is what its specification says, and openssl agrees", {
    skip: skipWithoutProgram("openssl"),
  }, async () => {
    await using registry = await startDockerRegistry();
    await using dir = await temporaryDir("signature");
    await withImage(registry.host, async ({ client, where, image }) => {
      const { privateKey, publicKey } = ecdsa();
      await signImage(client, where, image, `${registry.host}/signed`, privateKey, signal);
      const { bytes } = await getManifest(client, where, signatureTag(image.digest), signal);
      const [layer] = parseManifest(bytes, "signature").layers;
      assert.ok(layer);
      assert.equal(layer.mediaType, "application/vnd.dev.cosign.simplesigning.v1+json");
      const payload = await readSmallBlob(client, where, layer, signal);
      const { critical } = JSON.parse(Buffer.from(payload).toString("utf8"));
      assert.equal(critical.image["docker-manifest-digest"], image.digest);
      assert.equal(critical.type, "cosign container image signature");
      const file = (name: string) => path.join(dir.path, name);
      await writeFile(file("payload"), payload);
      await writeFile(
        file("signature"),
        Buffer.from(layer.annotations?.["dev.cosignproject.cosign/signature"] ?? "", "base64"),
      );
      await writeFile(file("key.pub"), publicKey.export({ type: "spki", format: "pem" }));
      const args = ["dgst", "-sha256", "-verify", file("key.pub"), "-signature", file("signature"), file("payload")];
      assert.equal(spawnSync("openssl", args).status, 0);
    });
  });

  test("a good signature of another image proves nothing", async () => {
    await using registry = await startDockerRegistry();
    await withImage(registry.host, async ({ client, where, image }) => {
      const { privateKey, publicKey } = ecdsa();
      await signImage(client, where, image, "name", privateKey, signal);
      const { bytes, descriptor } = await getManifest(client, where, signatureTag(image.digest), signal);
      const other = descriptor.digest;
      const { putManifest } = await import("../../engine/remote/manifests.ts");
      await putManifest(client, where, signatureTag(other), { bytes, descriptor }, signal);
      await assert.rejects(verifySignature(client, where, other, publicKey, signal), { code: "SIGNATURE_INVALID" });
    });
  });

  test("signatures go along with a copy that takes referrers", async () => {
    await using registry = await ours();
    await using other = await ours();
    await withImage(registry.host, async ({ client, where, image }) => {
      const key = createPrivateKey(ecdsa().privateKey.export({ type: "pkcs8", format: "pem" }));
      await signImage(client, where, image, "name", key, signal);
      const request = {
        source: parseReference(`${registry.host}/signed:v1`),
        destination: parseReference(`${other.host}/copied:v1`),
        platforms: { kind: "all" },
        withReferrers: true,
      } as const;
      assert.equal((await copy(client, request, () => undefined, signal)).referrers, 1);
      const there = { what: "test", host: other.host, repository: "copied" };
      assert.equal((await verifySignature(client, there, image.digest, createPublicKey(key), signal)).length, 1);
    });
  });
});

async function ours() {
  const registry = await startRegistry();
  return { host: new URL(registry.url).host, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}
