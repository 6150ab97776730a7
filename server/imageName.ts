/** An image name taken apart. `registry` and `repository` are spelt out: `nginx` is `docker.io` and `library/nginx`. */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const shape =
  /^((?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::\d+)?\/)?([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::([\w][\w.-]{0,127}))?(?:@([a-z0-9]+:[0-9a-f]+))?$/u;

/** Takes an image name apart; undefined for `scratch`, for names with variables, and for what is no image name. */
export function parseImageName(text: string): ImageName | undefined {
  if (text === "scratch" || text.includes("$")) return undefined;
  const slash = text.indexOf("/");
  const head = slash < 0 ? "" : text.slice(0, slash);
  const explicit = head.includes(".") || head.includes(":") || head === "localhost";
  const match = shape.exec(explicit ? text : `docker.io/${text}`);
  const registry = match?.[1]?.slice(0, -1);
  const path = match?.[2];
  if (registry === undefined || path === undefined) return undefined;
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  return { registry, repository, tag: match?.[3], digest: match?.[4] };
}

/** The page a person reads about an image, for registries that have one. */
export function imagePage(image: ImageName): string | undefined {
  const { registry, repository, tag, digest } = image;
  switch (registry) {
    case "docker.io":
    case "index.docker.io":
    case "registry-1.docker.io":
      return repository.startsWith("library/")
        ? `https://hub.docker.com/_/${repository.slice("library/".length)}`
        : `https://hub.docker.com/r/${repository}`;
    case "ghcr.io":
      return `https://github.com/${repository.split("/")[0]}?tab=packages&q=${encodeURIComponent(repository.split("/").slice(1).join("/"))}`;
    case "quay.io":
      return `https://quay.io/repository/${repository}`;
    case "gcr.io":
      return `https://gcr.io/${repository}`;
    case "registry.k8s.io":
      return `https://explore.ggcr.dev/?image=${registry}/${repository}${tag === undefined ? "" : `:${tag}`}`;
    case "mcr.microsoft.com":
      return `https://mcr.microsoft.com/artifact/mar/${repository}${digest === undefined && tag !== undefined ? `/tag/${tag}` : ""}`;
    case "public.ecr.aws":
      return `https://gallery.ecr.aws/${repository}`;
    default:
      return undefined;
  }
}
