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
  const hash = url.indexOf("#");
  const fragment = hash < 0 ? "" : unescapePart(url.slice(hash + 1), fail);
  let rest = hash < 0 ? url : url.slice(0, hash);
  const found = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(rest);
  if (found === null && rest.startsWith(":")) fail("missing protocol scheme");
  const scheme = (found?.[1] ?? "").toLowerCase();
  if (found !== null) rest = rest.slice(found[0].length);
  const mark = rest.indexOf("?");
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  const nothing = { host: "", hostname: "", userinfo: "", path: "", opaque: "" };
  if (!rest.startsWith("/") && scheme !== "") return { ...nothing, scheme, query, fragment, opaque: rest };
  const segment = rest.split("/")[0] ?? "";
  if (!rest.startsWith("/") && segment.includes(":")) fail("first path segment in URL cannot contain colon");
  if (!rest.startsWith("//") || (scheme === "" && rest.startsWith("///"))) {
    return { ...nothing, scheme, query, fragment, path: unescapePart(rest, fail) };
  }
  const slash = rest.indexOf("/", 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const path = slash < 0 ? "" : unescapePart(rest.slice(slash), fail);
  const at = authority.lastIndexOf("@");
  const userinfo = at < 0 ? "" : normalUser(authority.slice(0, at), fail);
  const host = unescapePart(authority.slice(at + 1), fail);
  const badChar = /[\0-\x20#%/?@\\^`{|}]/.exec(host)?.[0];
  if (badChar !== undefined) fail(`invalid character ${quote(badChar)} in host name`);
  const port = /^(?:\[[^\]]*\]|[^:]*)(:.*)?$/.exec(host)?.[1] ?? "";
  if (port !== "" && !/^:\d*$/.test(port)) fail(`invalid port ${quote(port)} after host`);
  const hostname = host.slice(0, host.length - port.length).replace(/^\[(.*)\]$/, "$1");
  return { scheme, host, hostname, path, query, opaque: "", fragment, userinfo };
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
  const { scheme, host, query, opaque, fragment, userinfo } = parts;
  let out = scheme === "" ? "" : `${scheme}:`;
  if (opaque !== "") out += opaque;
  else {
    const user = userinfo === "" ? "" : `${parseUrl(`proto://${userinfo}@host`).userinfo}@`;
    if (scheme !== "" || host !== "" || user !== "") {
      if (host !== "" || parts.path !== "" || user !== "") out += "//";
      out += user + escapePart(host, /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/);
    }
    const path = escapePart(parts.path, /[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]]/);
    if (path !== "" && !path.startsWith("/") && host !== "") out += "/";
    if (out === "" && (path.split("/")[0] ?? "").includes(":")) out += "./";
    out += path;
  }
  if (query !== "") out += `?${query}`;
  return fragment === "" ? out : `${out}#${escapePart(fragment, /[A-Za-z0-9\-_.~$&+,/:;=?@!'()*]/)}`;
}
