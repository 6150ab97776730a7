/**
 * The bill of materials of a cluster image: what it carries, as an SPDX document. The same image gives the same bytes.
 * @see SPDX specification 2.3, clauses 6 "Document creation information", 7 "Package information", 11 "Relationships"
 */
import { createHash } from "node:crypto";
import { canonicalJsonBytes, compareBytewise, type Json } from "../oci/canonicalJson.ts";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "../oci/digest.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { ChartFact } from "./sbomCharts.ts";
import type { Distribution, DistributionPackage } from "./sbomPackages.ts";

/** Media type of the document, and artifact type of the referrer that holds it. */
export const spdxType = "application/spdx+json";

/** All a document says. */
export interface SbomFacts {
  /** What the image is called: a normalised reference, or a digest. */
  readonly name: string;
  /** Digest of the configuration: it stays when layers are compressed on their way. */
  readonly imageId: Digest;
  readonly platform: string;
  /** When the image was made, RFC 3339; absent: 1970. */
  readonly created?: string;
  readonly applications: readonly { readonly name: string; readonly version: string; readonly type?: string }[];
  readonly charts: readonly ChartFact[];
  readonly containerImages: readonly {
    readonly image: string;
    readonly appName?: string;
    readonly digest?: string;
  }[];
  readonly distribution: Distribution;
  /** Version of Kubefile, for `creators`. */
  readonly toolVersion: string;
}

interface SpdxPackage {
  readonly [member: string]: Json;
  readonly SPDXID: string;
}

interface Relationship {
  readonly [member: string]: Json;
  readonly spdxElementId: string;
  readonly relationshipType: "DESCRIBES" | "CONTAINS" | "DEPENDS_ON";
  readonly relatedSpdxElement: string;
}

/** The document as canonical JSON: packages and relationships sorted. */
export function spdxDocument(facts: SbomFacts): Uint8Array {
  const root = "SPDXRef-Image";
  const packages: SpdxPackage[] = [rootPackage(root, facts)];
  const relationships: Relationship[] = [relate("SPDXRef-DOCUMENT", "DESCRIBES", root)];
  const applications = new Map(facts.applications.map((one) => [one.name, idOf("Application", one.name, "")]));
  const add = (one: SpdxPackage, owner: string): void => {
    packages.push(one);
    relationships.push(relate(owner, "CONTAINS", one.SPDXID));
  };
  for (const one of facts.applications) add(applicationPackage(one), root);
  for (const chart of facts.charts) add(chartPackage(chart), applications.get(chart.appName ?? "") ?? root);
  for (const image of facts.containerImages) {
    const entry = containerPackage(image, facts.platform);
    add(entry, root);
    const application = applications.get(image.appName ?? "");
    if (application !== undefined) relationships.push(relate(application, "DEPENDS_ON", entry.SPDXID));
  }
  for (const one of facts.distribution.packages) add(distributionPackage(one, facts.distribution.id), root);
  const [first, ...others] = packages;
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${facts.name} ${facts.platform}`,
    documentNamespace: `https://spdx.org/spdxdocs/kubefile-${digestHex(facts.imageId)}-${shortHash(facts.name)}`,
    creationInfo: { created: secondsOf(facts.created), creators: [`Tool: kubefile-${facts.toolVersion}`] },
    packages: [...(first === undefined ? [] : [first]), ...others.sort(bySpdxId)],
    relationships: relationships.sort((a, b) => compareBytewise(relationKey(a), relationKey(b))),
  };
  return canonicalJsonBytes(document);
}

function rootPackage(id: string, { name, imageId, platform }: SbomFacts): SpdxPackage {
  const reference = isDigest(name) ? undefined : parseReference(name);
  return {
    ...packageOf(id, name, reference?.tag ?? imageId),
    primaryPackagePurpose: "CONTAINER",
    checksums: checksumOf(imageId),
    comment: `Cluster image for ${platform}. The checksum is the image's id, the digest of its configuration.`,
  };
}

function applicationPackage({ name, version, type }: SbomFacts["applications"][number]): SpdxPackage {
  return {
    ...packageOf(idOf("Application", name, ""), name, version),
    primaryPackagePurpose: "APPLICATION",
    ...(type === undefined ? {} : { comment: `Application of type ${type}.` }),
  };
}

function chartPackage({ name, version, appVersion, path }: ChartFact): SpdxPackage {
  return {
    ...packageOf(idOf("Chart", name, path), name, version),
    primaryPackagePurpose: "APPLICATION",
    packageFileName: path,
    ...(appVersion === undefined ? {} : { comment: `Helm chart of ${appVersion}.` }),
    externalRefs: purl(`pkg:helm/${encodeURIComponent(name)}@${encodeURIComponent(version)}`),
  };
}

function containerPackage({ image, digest }: SbomFacts["containerImages"][number], platform: string): SpdxPackage {
  const reference = parseReference(image);
  const known = digest !== undefined && isDigest(digest) ? digest : reference.digest;
  return {
    ...packageOf(idOf("Container", image, ""), image, reference.tag ?? known ?? "latest"),
    primaryPackagePurpose: "CONTAINER",
    ...(known === undefined
      ? {}
      : { checksums: checksumOf(known), externalRefs: purl(containerPurl(reference, known, platform)) }),
  };
}

function containerPurl({ host, repository, tag }: Reference, digest: Digest, platform: string): string {
  const name = repository.split("/").at(-1) ?? repository;
  const qualifiers = [
    `arch=${encodeURIComponent(platform.split("/")[1] ?? "")}`,
    `repository_url=${encodeURIComponent(`${host}/${repository}`)}`,
    ...(tag === undefined ? [] : [`tag=${encodeURIComponent(tag)}`]),
  ];
  return `pkg:oci/${encodeURIComponent(name)}@${encodeURIComponent(digest)}?${qualifiers.join("&")}`;
}

function distributionPackage(
  { type, name, version, architecture = "" }: DistributionPackage,
  distribution: string | undefined,
): SpdxPackage {
  const arch = architecture === "" ? "" : `?arch=${encodeURIComponent(architecture)}`;
  const owner = distribution ?? (type === "deb" ? "debian" : "alpine");
  return {
    ...packageOf(idOf("Package", name, `${type} ${version} ${architecture}`), name, version),
    primaryPackagePurpose: "LIBRARY",
    externalRefs: purl(`pkg:${type}/${owner}/${encodeURIComponent(name)}@${encodeURIComponent(version)}${arch}`),
  };
}

/** The members every package has. */
function packageOf(SPDXID: string, name: string, versionInfo: string): SpdxPackage {
  return { SPDXID, name, versionInfo, downloadLocation: "NOASSERTION", filesAnalyzed: false };
}

function purl(referenceLocator: string): Json {
  return [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator }];
}

function checksumOf(digest: Digest): Json {
  return [{ algorithm: digestAlgorithm(digest).toUpperCase(), checksumValue: digestHex(digest) }];
}

/** Ids hold letters, digits, dots and hyphens; the hash keeps apart what would look the same. */
function idOf(kind: string, name: string, more: string): string {
  return `SPDXRef-${kind}-${name.replace(/[^A-Za-z0-9.]+/g, "-")}-${shortHash(`${name}\0${more}`)}`;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

function relate(
  spdxElementId: string,
  relationshipType: Relationship["relationshipType"],
  relatedSpdxElement: string,
): Relationship {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

function relationKey({ spdxElementId, relationshipType, relatedSpdxElement }: Relationship): string {
  return [spdxElementId, relationshipType, relatedSpdxElement].join(" ");
}

function bySpdxId(a: SpdxPackage, b: SpdxPackage): number {
  return compareBytewise(a.SPDXID, b.SPDXID);
}

/** SPDX wants whole seconds in UTC. */
function secondsOf(created: string | undefined): string {
  const ms = Date.parse(created ?? "");
  return `${new Date(Number.isNaN(ms) ? 0 : ms).toISOString().slice(0, 19)}Z`;
}
