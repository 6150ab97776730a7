/** A reference split for showing: `docker.io/library/a/b:1` shows as repository `a/b` and tag `1`. */
export interface ShownReference {
  readonly repository: string;
  readonly tag: string;
}

/** Splits a normalised reference; Docker's implied registry and namespace are left out, as its own tools do. */
export function shownReference(reference: string): ShownReference {
  const [name = "", digest] = reference.split("@");
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const repository = (hasTag ? name.slice(0, colon) : name)
    .replace(/^docker\.io\/library\//, "")
    .replace(/^docker\.io\//, "");
  return { repository, tag: hasTag ? name.slice(colon + 1) : shortDigest(digest ?? "") };
}

/** The reference as one short text. */
export function shortReference(reference: string): string {
  const { repository, tag } = shownReference(reference);
  return tag === "" ? repository : `${repository}:${tag}`;
}

/** Twelve hexadecimal digits, enough for people to tell images apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}

/** The name a folder's first image gets: its own name in the letters a repository may have, tagged `latest`. */
export function suggestedReference(folderName: string): string {
  const repository = folderName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return `${repository || "cluster-image"}:latest`;
}
