import { digestOf } from "../../engine/oci/digest.ts";

/**
 * Publishes an image of one empty layer under a name, different for every registry and name, so that images can be told apart. A stand-in for
 * the images of public registries, which tests cannot reach; the registry that serves it is real.
 */
export async function publishTinyImage(
  host: string,
  repository: string,
  tag: string,
  login?: { readonly username: string; readonly password: string },
): Promise<void> {
  const headers: Record<string, string> =
    login === undefined
      ? {}
      : { Authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}` };
  const layer = Buffer.alloc(1024);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      comment: `${host}/${repository}:${tag}`,
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  for (const blob of [layer, config]) await publishBlob(host, repository, blob, headers);
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: digestOf(layer), size: layer.length }],
  });
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    body: manifest,
    headers: { ...headers, "Content-Type": mediaType },
  });
  if (answer.status !== 201)
    throw new Error(`publishing ${repository}:${tag}: ${answer.status} ${await answer.text()}`);
}

async function publishBlob(
  host: string,
  repository: string,
  blob: Uint8Array,
  headers: Record<string, string>,
): Promise<void> {
  const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
  const location = new URL(start.headers.get("location") ?? "", `http://${host}`);
  location.searchParams.set("digest", digestOf(blob));
  const end = await fetch(location, {
    method: "PUT",
    body: new Blob([Uint8Array.from(blob)]),
    headers: { ...headers, "Content-Type": "application/octet-stream" },
  });
  if (end.status !== 201) throw new Error(`publishing a blob of ${repository}: ${end.status}`);
}
