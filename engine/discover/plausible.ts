/**
 * Whether a text that stands where an image *may* stand is one. A field that the kubelet reads needs no such question; names in
 * environment variables, arguments and free-form settings do.
 */

const template = /\{\{|\$\{|\$\(|<[^>]*>/;
const urlOrPath = /:\/\/|^[./~]|\s|\\|^\$|[,;'"|*!]|@$/;
/** A registry host as people write it: dots or a port or `localhost`. */
const host =
  /^(?:localhost|(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}|\d{1,3}(?:\.\d{1,3}){3}|[a-z0-9-]+(?=:\d))(?::\d{1,5})?$/i;
const pathPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPart = /^[\w][\w.-]{0,127}$/;
const digestPart = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}$/i;
const versionLike = /^v?\d+(?:[.-]|$)/;
const portLike = /^\d{2,5}$/;

interface NameParts {
  readonly host: string | undefined;
  readonly path: readonly string[];
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Takes a text apart as `[host/]path[:tag][@digest]`; `undefined` when it is not of that shape. */
function takeApart(text: string): NameParts | undefined {
  if (text.length > 512 || template.test(text) || urlOrPath.test(text)) return undefined;
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPart.test(digest)) return undefined;
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const tag = tagged ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPart.test(tag)) return undefined;
  const parts = (tagged ? named.slice(0, colon) : named).split("/");
  const first = parts[0];
  const hasHost = parts.length > 1 && first !== undefined && host.test(first);
  const path = hasHost ? parts.slice(1) : parts;
  if (path.length === 0 || !path.every((part) => pathPart.test(part))) return undefined;
  return { host: hasHost ? first : undefined, path, tag, digest };
}

/** Whether a text is certainly not meant to be final: it still holds a template expression or a variable. */
export function isTemplate(text: string): boolean {
  return template.test(text);
}

/**
 * Whether the value of something that is *called* an image may be one: it needs a tag, a digest or a path, so that words such as
 * `string` or `Always` are none, and it must not be an address such as `localhost:8080`.
 */
export function isNamedImage(text: string): boolean {
  const parts = takeApart(text);
  if (parts === undefined) return false;
  if (parts.digest !== undefined) return true;
  if (parts.tag !== undefined) return !isAddress(parts);
  return parts.host !== undefined || parts.path.length === 2;
}

/**
 * Whether a text can hardly be anything but an image although nothing around it says so: it names a registry with a domain, a path, and
 * a tag that starts like a version, or a digest.
 */
export function isObviousImage(text: string): boolean {
  const parts = takeApart(text);
  if (parts?.host === undefined || parts.host.startsWith("localhost")) return false;
  if (parts.digest !== undefined) return true;
  return (
    parts.tag !== undefined && (versionLike.test(parts.tag) || parts.tag === "latest") && !portLike.test(parts.tag)
  );
}

function isAddress(parts: NameParts): boolean {
  if (parts.tag === undefined || !portLike.test(parts.tag)) return false;
  return (
    parts.host === undefined && parts.path.length === 1 && (/\./.test(parts.path[0] ?? "") || Number(parts.tag) >= 1000)
  );
}
