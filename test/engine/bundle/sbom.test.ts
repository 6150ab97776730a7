import assert from "node:assert/strict";
import { test } from "node:test";
import { parseApk, parseDpkg } from "../../../engine/bundle/sbomPackages.ts";
import { parseManifest } from "../../../engine/oci/manifest.ts";
import { imageSboms } from "../../../engine/operations/sbom.ts";
import { referrersOf } from "../../../engine/store/referrers.ts";
import { tagClusterImage } from "../../support/clusterImages.ts";
import { never, testStore } from "../store/support.ts";

const name = "test.example/shop:1";
const digest = `sha256:${"a".repeat(64)}`;

const files = {
  "application/apps/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: '4.5'\n",
  "application/apps/shop/values.yaml": "{}\n",
  "charts/base/Chart.yaml": "apiVersion: v2\nname: base\nversion: 0.1.0\n",
  "charts/base/templates/a.yaml": "kind: ConfigMap\n",
  "charts/broken/Chart.yaml": "name: [\n",
  "charts/broken/values.yaml": "{}\n",
  "etc/os-release": 'NAME="Debian GNU/Linux"\nID=debian\n',
  "var/lib/dpkg/status":
    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u4\nDescription: x\n more\n\n" +
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
  "var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\nArchitecture: all\n",
  "lib/apk/db/installed": "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\n\nP:zlib\nV:1.3-r0\nA:x86_64\n",
  "registry/kubefile-index.json": JSON.stringify({
    version: 1,
    images: [
      {
        image: "docker.io/library/nginx:alpine",
        repository: "library/nginx",
        digest: `sha256:${"b".repeat(64)}`,
        mediaType: "x",
        platforms: { "linux/amd64": digest },
      },
    ],
  }),
};

interface Spdx {
  readonly spdxVersion: string;
  readonly dataLicense: string;
  readonly SPDXID: string;
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly versionInfo: string;
    readonly downloadLocation: string;
    readonly filesAnalyzed: boolean;
    readonly checksums?: readonly { readonly algorithm: string; readonly checksumValue: string }[];
    readonly externalRefs?: readonly {
      readonly referenceCategory: string;
      readonly referenceType: string;
      readonly referenceLocator: string;
    }[];
  }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: string;
    readonly relatedSpdxElement: string;
  }[];
}

async function tagShop(store: Parameters<typeof tagClusterImage>[0]): Promise<void> {
  await tagClusterImage(
    store,
    name,
    {
      layers: [files],
      extension: { applications: [{ name: "shop", type: "helm", version: "v1" }] },
      containerImages: ["docker.io/library/nginx:alpine", "quay.io/x/unpacked:2"],
    },
    never,
  );
}

async function made(): Promise<Spdx> {
  await using t = testStore();
  await tagShop(t.store);
  const [sbom] = await imageSboms(t.store, { reference: name, attach: false }, never);
  return JSON.parse(Buffer.from(sbom?.document ?? assert.fail()).toString("utf8")) as Spdx;
}

test("the document has every member that SPDX 2.3 demands, in the form it demands", async () => {
  const spdx = await made();
  assert.equal(spdx.spdxVersion, "SPDX-2.3");
  assert.equal(spdx.dataLicense, "CC0-1.0");
  assert.equal(spdx.SPDXID, "SPDXRef-DOCUMENT");
  assert.equal(new URL(spdx.documentNamespace).hash, "");
  assert.match(spdx.creationInfo.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(spdx.creationInfo.creators[0] ?? "", /^Tool: [^-]+-\S+$/);
  const ids = new Set(["SPDXRef-DOCUMENT"]);
  for (const each of spdx.packages) {
    assert.match(each.SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
    assert.ok(!ids.has(each.SPDXID), `${each.SPDXID} is there once`);
    ids.add(each.SPDXID);
    assert.ok(each.name !== "" && each.versionInfo !== "");
    assert.equal(each.downloadLocation, "NOASSERTION");
    assert.equal(each.filesAnalyzed, false);
    for (const { algorithm, checksumValue } of each.checksums ?? []) {
      assert.equal(algorithm, "SHA256");
      assert.match(checksumValue, /^[0-9a-f]{64}$/);
    }
    for (const reference of each.externalRefs ?? []) {
      assert.equal(reference.referenceCategory, "PACKAGE-MANAGER");
      assert.equal(reference.referenceType, "purl");
      assert.match(reference.referenceLocator, /^pkg:(oci|helm|deb|apk)\/[^@ ]+@[^@ ]+$/);
    }
  }
  const describes = spdx.relationships.filter(({ relationshipType }) => relationshipType === "DESCRIBES");
  assert.deepEqual(describes, [
    { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Image" },
  ]);
  for (const { spdxElementId, relatedSpdxElement } of spdx.relationships)
    assert.ok(ids.has(spdxElementId) && ids.has(relatedSpdxElement));
  const reached = new Set(spdx.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement));
  for (const { SPDXID } of spdx.packages) assert.ok(reached.has(SPDXID), `${SPDXID} is related to something`);
});

test("container images, applications, charts and installed packages are in it, each with what is known", async () => {
  const { packages } = await made();
  const locator = (of: string): string | undefined =>
    packages.find((each) => each.name === of && each.externalRefs !== undefined)?.externalRefs?.[0]?.referenceLocator;
  assert.deepEqual(packages.map((each) => `${each.name} ${each.versionInfo}`).sort(), [
    "base 0.1.0",
    "docker.io/library/nginx:alpine alpine",
    "libc6 2.36-9+deb12u4",
    "musl 1.2.4-r2",
    "quay.io/x/unpacked:2 2",
    "shop 1.2.3",
    "shop v1",
    "test.example/shop:1 1",
    "tzdata 2024a",
    "zlib 1.3-r0",
  ]);
  assert.equal(
    locator("docker.io/library/nginx:alpine"),
    `pkg:oci/nginx@sha256%3A${"a".repeat(64)}?arch=amd64&repository_url=docker.io%2Flibrary%2Fnginx&tag=alpine`,
  );
  assert.equal(locator("libc6"), "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64");
  assert.equal(locator("shop"), "pkg:helm/shop@1.2.3");
  assert.equal(locator("quay.io/x/unpacked:2"), undefined);
});

test("the same image gives the same document in another store", async () => {
  assert.deepEqual(await made(), await made());
});

test("an attached document is a referrer that lives as long as its image, and there is one", async () => {
  await using t = testStore();
  await tagShop(t.store);
  const attach = () => imageSboms(t.store, { reference: name, attach: true }, never);
  const [first] = await attach();
  await attach();
  const subject = first?.subject ?? assert.fail();
  const [referrer, ...others] = referrersOf(t.store, subject.digest);
  assert.equal(others.length, 0);
  const manifest = parseManifest(await t.store.readDocument(referrer ?? assert.fail(), never), "m");
  assert.equal(manifest.artifactType, "application/spdx+json");
  assert.equal(manifest.subject?.digest, subject.digest);
  assert.deepEqual(
    Buffer.from(t.store.readBytes(manifest.layers[0]?.digest ?? assert.fail(), 1 << 20)),
    Buffer.from(first?.document ?? assert.fail()),
  );
  await t.store.prune({}, never);
  assert.equal(referrersOf(t.store, subject.digest).length, 1);
  await t.store.untag(name);
  await t.store.prune({ recordsUnusedForMs: 0 }, never);
  assert.deepEqual(referrersOf(t.store, subject.digest), []);
});

test("dpkg's folded fields and apk's file lists are passed over", () => {
  assert.deepEqual(parseDpkg("Package: a\nDescription: x\n Version: 9\nVersion: 1\n", false), [
    { type: "deb", name: "a", version: "1" },
  ]);
  assert.deepEqual(parseApk("P:a\nV:1\nF:usr\nR:V:2\n"), [{ type: "apk", name: "a", version: "1" }]);
  assert.deepEqual(parseApk(""), []);
});
