import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../../engine/oci/digest.ts";
import { openPushedContent } from "../../../engine/registry/pushedContent.ts";
import { startRegistry, type TestRegistry } from "../../support/registryServer.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";

async function pushBlob(registry: TestRegistry, repository: string, bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  const answer = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: new Blob([Uint8Array.from(bytes)]),
  });
  assert.equal(answer.status, 201);
  return digest;
}

async function pushImage(
  registry: TestRegistry,
  repository: string,
  tag: string,
  config = "{}",
  more: object = {},
): Promise<string> {
  const bytes = Buffer.from(config);
  const digest = await pushBlob(registry, repository, bytes);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest, size: bytes.length },
    layers: [],
    ...more,
  });
  const answer = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    body: manifest,
    headers: { "Content-Type": manifestType },
  });
  assert.equal(answer.status, 201, await answer.text());
  return answer.headers.get("docker-content-digest") ?? "";
}

const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code ?? "";

test("an image that was pushed is pulled byte for byte, by tag and by digest", async () => {
  await using registry = await startRegistry();
  const digest = await pushImage(registry, "a/b", "v1");
  for (const reference of ["v1", digest]) {
    const answer = await fetch(`${registry.url}/v2/a/b/manifests/${reference}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), manifestType);
    assert.equal(digestOf(Buffer.from(await answer.arrayBuffer())), digest);
  }
});

test("a blob sent in chunks may be interrupted and resumed where it stopped", async () => {
  await using registry = await startRegistry();
  const bytes = Buffer.alloc(100_000, "kubefile");
  const start = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" });
  const at = `${registry.url}${start.headers.get("location")}`;
  const patch = (from: number, to: number): Promise<Response> =>
    fetch(at, { method: "PATCH", body: bytes.subarray(from, to), headers: { "Content-Range": `${from}-${to - 1}` } });
  assert.equal((await patch(0, 40_000)).status, 202);
  const skipped = await patch(60_000, 70_000);
  assert.equal(skipped.status, 416);
  assert.equal(skipped.headers.get("range"), "0-39999");
  assert.equal((await fetch(at)).headers.get("range"), "0-39999");
  assert.equal((await patch(40_000, 100_000)).status, 202);
  const end = await fetch(`${at}?digest=${digestOf(bytes)}`, { method: "PUT" });
  assert.equal(end.status, 201);
  const part = await fetch(`${registry.url}${end.headers.get("location")}`, { headers: { Range: "bytes=99990-" } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), bytes.subarray(99_990).toString());
});

test("bytes that do not have the digest are refused and leave nothing", async () => {
  await using registry = await startRegistry();
  const digest = digestOf(Buffer.from("other"));
  const answer = await fetch(`${registry.url}/v2/a/blobs/uploads/?digest=${digest}`, { method: "POST", body: "these" });
  assert.equal(answer.status, 400);
  assert.equal(await codeOf(answer), "DIGEST_INVALID");
  assert.equal((await fetch(`${registry.url}/v2/a/blobs/${digest}`, { method: "HEAD" })).status, 404);
});

test("a manifest whose blobs are not there is refused, and says which", async () => {
  await using registry = await startRegistry();
  const digest = digestOf(Buffer.from("never pushed"));
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest, size: 12 },
    layers: [],
  };
  const answer = await fetch(`${registry.url}/v2/a/manifests/v1`, {
    method: "PUT",
    body: JSON.stringify(manifest),
    headers: { "Content-Type": manifestType },
  });
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), new RegExp(`MANIFEST_BLOB_UNKNOWN.*${digest}`));
});

test("a blob of one repository is not another's, and can be mounted", async () => {
  await using registry = await startRegistry();
  const digest = await pushBlob(registry, "a", Buffer.from("shared"));
  assert.equal((await fetch(`${registry.url}/v2/b/blobs/${digest}`)).status, 404);
  const miss = await fetch(`${registry.url}/v2/b/blobs/uploads/?mount=${digest}&from=c`, { method: "POST" });
  assert.equal(miss.status, 202);
  const mount = await fetch(`${registry.url}/v2/b/blobs/uploads/?mount=${digest}&from=a`, { method: "POST" });
  assert.equal(mount.status, 201);
  assert.equal(await (await fetch(`${registry.url}/v2/b/blobs/${digest}`)).text(), "shared");
});

test("where repositories have readers of their own, a digest alone mounts nothing", async () => {
  await using open = await startRegistry();
  await using registry = await startRegistry({ content: openPushedContent(open.store, "separate") });
  const digest = await pushBlob(registry, "a", Buffer.from("secret"));
  assert.equal((await fetch(`${registry.url}/v2/b/blobs/uploads/?mount=${digest}`, { method: "POST" })).status, 202);
  assert.equal((await fetch(`${registry.url}/v2/b/blobs/${digest}`)).status, 404);
});

test("tags are listed in order and in pages", async () => {
  await using registry = await startRegistry();
  for (const tag of ["v2", "v10", "latest", "v1"]) await pushImage(registry, "a", tag);
  const list = async (query: string): Promise<[string[], string | null]> => {
    const answer = await fetch(`${registry.url}/v2/a/tags/list${query}`);
    return [((await answer.json()) as { tags: string[] }).tags, answer.headers.get("link")];
  };
  assert.deepEqual(await list(""), [["latest", "v1", "v10", "v2"], null]);
  assert.deepEqual(await list("?n=2"), [["latest", "v1"], '</v2/a/tags/list?n=2&last=v1>; rel="next"']);
  assert.deepEqual(await list("?n=2&last=v1"), [["v10", "v2"], null]);
  assert.deepEqual(await list("?n=0"), [[], null]);
  assert.equal((await fetch(`${registry.url}/v2/none/tags/list`)).status, 404);
});

test("deleting a tag leaves the manifest; deleting the manifest takes its tags along", async () => {
  await using registry = await startRegistry();
  const digest = await pushImage(registry, "a", "v1");
  await pushImage(registry, "a", "v2");
  const status = async (reference: string, method = "GET"): Promise<number> =>
    (await fetch(`${registry.url}/v2/a/manifests/${reference}`, { method })).status;
  assert.equal(await status("v1", "DELETE"), 202);
  assert.equal(await status("v1"), 404);
  assert.equal(await status(digest), 200);
  assert.equal(await status(digest, "DELETE"), 202);
  assert.equal(await status("v2"), 404);
  assert.equal(await status(digest, "DELETE"), 404);
});

test("what belongs to a manifest is listed as its referrer, even before the manifest is there", async () => {
  await using registry = await startRegistry();
  const subject = digestOf(Buffer.from("not pushed yet"));
  const more = {
    subject: { mediaType: manifestType, digest: subject, size: 14 },
    artifactType: "x/sig",
    annotations: { by: "me" },
  };
  const digest = await pushImage(registry, "a", "sig", "{}", more);
  const all = (await (await fetch(`${registry.url}/v2/a/referrers/${subject}`)).json()) as { manifests: unknown[] };
  assert.deepEqual(
    all.manifests.map((entry) => (entry as { digest: string }).digest),
    [digest],
  );
  const filtered = await fetch(`${registry.url}/v2/a/referrers/${subject}?artifactType=other`);
  assert.equal(filtered.headers.get("oci-filters-applied"), "artifactType");
  assert.deepEqual(((await filtered.json()) as { manifests: unknown[] }).manifests, []);
});

test("a read-only registry refuses every change", async () => {
  await using registry = await startRegistry({ readOnly: true });
  assert.equal((await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" })).status, 405);
  assert.equal((await fetch(`${registry.url}/v2/a/manifests/v1`, { method: "PUT", body: "{}" })).status, 405);
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
});

test("the source host of a proxied pull is echoed", async () => {
  await using registry = await startRegistry();
  const answer = await fetch(`${registry.url}/v2/a/manifests/v1?ns=Quay.io`);
  assert.equal(answer.headers.get("oci-namespace"), "quay.io");
});

for (const [title, path, method, body, status, code] of [
  ["a name in upper case", "/v2/A/manifests/v1", "GET", undefined, 400, "NAME_INVALID"],
  ["a manifest that is no JSON", "/v2/a/manifests/v1", "PUT", "{", 400, "MANIFEST_INVALID"],
  ["a manifest under a wrong digest", `/v2/a/manifests/sha256:${"0".repeat(64)}`, "PUT", "{}", 400, "DIGEST_INVALID"],
  ["a manifest under something like a digest", "/v2/a/manifests/sha256:bad", "PUT", "{}", 400, "DIGEST_INVALID"],
  ["an upload nobody started", "/v2/a/blobs/uploads/1", "PATCH", "x", 404, "BLOB_UPLOAD_UNKNOWN"],
  ["a method that means nothing there", "/v2/a/tags/list", "PUT", "x", 405, "UNSUPPORTED"],
  ["an address that is none", "/v3/", "GET", undefined, 404, "UNSUPPORTED"],
  [
    "an unknown digest algorithm",
    "/v2/a/blobs/uploads/?digest-algorithm=md5",
    "POST",
    undefined,
    400,
    "DIGEST_INVALID",
  ],
] as const)
  test(`${title} is refused with ${code}`, async () => {
    await using registry = await startRegistry();
    const answer = await fetch(registry.url + path, { method, ...(body === undefined ? {} : { body }) });
    assert.equal(answer.status, status);
    assert.equal(await codeOf(answer), code);
    assert.deepEqual(registry.errors, []);
  });

test("a manifest of more than 4 MiB is refused before it is read", async () => {
  await using registry = await startRegistry();
  const body = Buffer.alloc(4 * 1024 * 1024 + 1, " ");
  const answer = await fetch(`${registry.url}/v2/a/manifests/v1`, { method: "PUT", body });
  assert.equal(answer.status, 413);
});

test("what was pushed is there again after the server was started anew", async () => {
  await using first = await startRegistry();
  const digest = await pushImage(first, "a/b", "v1");
  await using second = await startRegistry({ content: openPushedContent(first.store, "shared") });
  const answer = await fetch(`${second.url}/v2/a/b/manifests/v1`, { method: "HEAD" });
  assert.equal(answer.headers.get("docker-content-digest"), digest);
  assert.deepEqual((await (await fetch(`${second.url}/v2/_catalog`)).json()) as unknown, { repositories: ["a/b"] });
});
