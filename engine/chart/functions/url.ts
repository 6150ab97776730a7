/** Go's `net/url` as far as `urlParse` and `urlJoin` show it. */
import { bytesOf, textOf } from "../go/bytes.ts";
import { quote } from "../go/quote.ts";

/** The parts of a URL as sprig names them. */
export interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly hostname: string;
  readonly path: string;
  readonly query: string;
  readonly opaque: string;
  readonly fragment: string;
  readonly userinfo: string;
}

/** A text that is no URL, with Go's words. */
export class UrlError extends Error {}

/** Parses as `url.Parse` does. @throws UrlError */
export function parseUrl(url: string): UrlParts {
  const fail = (reason: string): never => {
    throw new UrlError(`parse ${quote(url)}: ${reason}`);
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what Go refuses
  if (/[\x00-\x1f\x7f]/.test(url)) fail("net/url: invalid control character in URL");
  const [beforeHash, rawFragment] = cutAt(url, "#");
  const fragment = unescapePart(rawFragment, fail);
  const found = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(beforeHash);
  if (found === null && beforeHash.startsWith(":")) fail("missing protocol scheme");
  const scheme = (found?.[1] ?? "").toLowerCase();
  const [rest, query] = cutAt(beforeHash.slice(found?.[0].length ?? 0), "?");
  return { scheme, query, fragment, ...placeOf(rest, scheme !== "", fail) };
}

type Place = Omit<UrlParts, "scheme" | "query" | "fragment">;

/** What stands between scheme and query: something opaque, a path, or an authority with a path. */
function placeOf(rest: string, hasScheme: boolean, fail: (reason: string) => never): Place {
  const nothing: Place = { host: "", hostname: "", userinfo: "", path: "", opaque: "" };
  if (!rest.startsWith("/")) {
    if (hasScheme) return { ...nothing, opaque: rest };
    if ((rest.split("/")[0] ?? "").includes(":")) fail("first path segment in URL cannot contain colon");
  }
  if (!rest.startsWith("//") || (!hasScheme && rest.startsWith("///"))) {
    return { ...nothing, path: unescapePart(rest, fail) };
  }
  const slash = rest.indexOf("/", 2);
  const path = slash < 0 ? "" : unescapePart(rest.slice(slash), fail);
  return { ...nothing, ...authorityOf(slash < 0 ? rest.slice(2) : rest.slice(2, slash), fail), path };
}

type Authority = Pick<UrlParts, "host" | "hostname" | "userinfo">;

function authorityOf(authority: string, fail: (reason: string) => never): Authority {
  const at = authority.lastIndexOf("@");
  const userinfo = at < 0 ? "" : normalUser(authority.slice(0, at), fail);
  const host = unescapePart(authority.slice(at + 1), fail);
  const badChar = /[\0-\x20#%/?@\\^`{|}]/.exec(host)?.[0];
  if (badChar !== undefined) fail(`invalid character ${quote(badChar)} in host name`);
  const port = /^(?:\[[^\]]*\]|[^:]*)(:.*)?$/.exec(host)?.[1] ?? "";
  if (port !== "" && !/^:\d*$/.test(port)) fail(`invalid port ${quote(port)} after host`);
  const hostname = host.slice(0, host.length - port.length).replace(/^\[(.*)\]$/, "$1");
  return { host, hostname, userinfo };
}

/** The text before and after the first occurrence of a mark. */
function cutAt(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}

function normalUser(text: string, fail: (reason: string) => never): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) fail("net/url: invalid userinfo");
  const [name = "", ...password] = text.split(":");
  const user = escapePart(unescapePart(name, fail), /[A-Za-z0-9\-_.~$&+,;=]/);
  if (password.length === 0) return user;
  return `${user}:${escapePart(unescapePart(password.join(":"), fail), /[A-Za-z0-9\-_.~$&+,;=]/)}`;
}

function unescapePart(text: string, fail: (reason: string) => never): string {
  if (!text.includes("%")) return text;
  const bad = /%(?![\da-fA-F]{2}).{0,2}/.exec(text);
  if (bad !== null) fail(`invalid URL escape ${quote(bad[0])}`);
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "%") {
      bytes.push(Number.parseInt(text.slice(i + 1, i + 3), 16));
      i += 2;
    } else {
      const char = String.fromCodePoint(text.codePointAt(i) ?? 0);
      bytes.push(...bytesOf(char));
      i += char.length - 1;
    }
  }
  return textOf(Uint8Array.from(bytes));
}

function escapePart(text: string, safe: RegExp): string {
  return Array.from(bytesOf(text), (byte) => {
    const char = String.fromCharCode(byte);
    return safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** Writes a URL as `url.URL.String` does. */
export function joinUrl(parts: Omit<UrlParts, "hostname">): string {
  const { scheme, query, opaque, fragment } = parts;
  const front = scheme === "" ? "" : `${scheme}:`;
  const place = opaque === "" ? placeText(parts) : opaque;
  const search = query === "" ? "" : `?${query}`;
  const hash = fragment === "" ? "" : `#${escapePart(fragment, /[A-Za-z0-9\-_.~$&+,/:;=?@!'()*]/)}`;
  return front + place + search + hash;
}

function placeText({ scheme, host, path, userinfo }: Omit<UrlParts, "hostname">): string {
  const user = userinfo === "" ? "" : `${parseUrl(`proto://${userinfo}@host`).userinfo}@`;
  const hasAuthority = host !== "" || user !== "";
  const slashes = hasAuthority || (scheme !== "" && path !== "") ? "//" : "";
  const authority = slashes + user + escapePart(host, /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/);
  return authority + gapBefore(path, scheme + authority, host) + escapePart(path, /[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]]/);
}

/** What keeps a path from being read as part of what stands before it, or as a scheme. */
function gapBefore(path: string, before: string, host: string): string {
  if (path !== "" && !path.startsWith("/") && host !== "") return "/";
  return before === "" && (path.split("/")[0] ?? "").includes(":") ? "./" : "";
}
