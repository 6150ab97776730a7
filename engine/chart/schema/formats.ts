/** The `format` keyword: what each named format refuses, and why. */
import { isIP, isIPv4 } from "node:net";
import { parseUrl, UrlError } from "../functions/url.ts";

type Check = (text: string) => string | undefined;

const ipv4: Check = (text) => {
  const parts = text.split(".");
  if (parts.length !== 4) return "expected four decimals";
  if (parts.some((part) => /^0\d/.test(part))) return "leading zeros";
  return isIPv4(text) ? undefined : "decimal must be between 0 and 255";
};

const ipv6: Check = (text) => {
  if (!text.includes(":")) return "missing colon";
  if (text.includes("%")) return "zone id is not a part of ipv6 address";
  return isIP(text) === 6 ? undefined : `ParseAddr(${JSON.stringify(text)}): unable to parse IP`;
};

const hostname: Check = (text) => {
  const host = text.endsWith(".") ? text.slice(0, -1) : text;
  if (host.length > 253) return "more than 253 characters long";
  for (const label of host.split(".")) {
    if (label.length < 1 || label.length > 63) return "label must be 1 to 63 characters long";
    if (label.startsWith("-")) return "label starts with hyphen";
    if (label.endsWith("-")) return "label ends with hyphen";
    const bad = /[^A-Za-z0-9-]/u.exec(label);
    if (bad !== null) return `invalid character '${bad[0]}'`;
  }
  return undefined;
};

const unquotedLocal: Check = (local) => {
  if (local.startsWith(".")) return "starts with dot";
  if (local.endsWith(".")) return "ends with dot";
  if (local.includes("..")) return "consecutive dots";
  const bad = /[^A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]/u.exec(local);
  return bad === null ? undefined : `invalid character '${bad[0]}'`;
};

const email: Check = (text) => {
  if (text.length > 254) return "more than 255 characters long";
  const at = text.lastIndexOf("@");
  if (at < 0) return "missing @";
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (local.length > 64) return "local part more than 64 characters long";
  const localReason = /^".*"$/.test(local) ? undefined : unquotedLocal(local);
  if (localReason !== undefined) return localReason;
  const literal = /^\[(.*)\]$/.exec(domain)?.[1];
  if (literal !== undefined) return isIP(literal.replace(/^IPv6:/, "")) === 0 ? "invalid ipv4 address" : undefined;
  const reason = hostname(domain);
  return reason === undefined ? undefined : `invalid domain: ${reason}`;
};

const date: Check = (text) => {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (found === null)
    return `parsing time ${JSON.stringify(text)} as "2006-01-02": cannot parse ${JSON.stringify(text)} as "2006"`;
  const [, year = "", month = "", day = ""] = found;
  const made = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  const isReal = made.getUTCMonth() === Number(month) - 1 && made.getUTCDate() === Number(day);
  return isReal
    ? undefined
    : `parsing time ${JSON.stringify(text)}: ${Number(month) > 12 || Number(month) < 1 ? "month" : "day"} out of range`;
};

const time: Check = (text) => {
  const found = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[zZ]|[+-](\d\d):(\d\d))$/.exec(text);
  if (found === null) return text.length < 9 ? "less than 9 characters long" : "missing colon in correct place";
  const [hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = found
    .slice(1)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 60) return "hour/min/sec out of range";
  return zoneHour > 23 || zoneMinute > 59 ? "hour/min in offset out of range" : undefined;
};

const dateTime: Check = (text) => {
  if (text.length < 20) return "less than 20 characters long";
  if (!/[tT]/.test(text[10] ?? "")) return "11th character must be t or T";
  const badDate = date(text.slice(0, 10));
  if (badDate !== undefined) return `invalid date element: ${badDate}`;
  const badTime = time(text.slice(11));
  return badTime === undefined ? undefined : `invalid time element: ${badTime}`;
};

function url(text: string): string | { readonly isAbsolute: boolean } {
  try {
    return { isAbsolute: parseUrl(text).scheme !== "" };
  } catch (error) {
    if (error instanceof UrlError) return error.message;
    throw error;
  }
}

const uri: Check = (text) => {
  const parsed = url(text);
  if (typeof parsed === "string") return parsed;
  return parsed.isAbsolute ? undefined : "relative url";
};

const uriReference: Check = (text) => {
  const parsed = url(text);
  if (typeof parsed === "string") return parsed;
  return text.includes("\\") ? "contains \\" : undefined;
};

const jsonPointer: Check = (text) => {
  if (text === "") return undefined;
  if (!text.startsWith("/")) return "not starting with /";
  return /~(?![01])/.test(text) ? "~ must be followed by 0 or 1" : undefined;
};

const uuid: Check = (text) => {
  const parts = text.split("-");
  if (parts.length !== 5) return "must have 5 elements";
  for (const [i, length] of [8, 4, 4, 4, 12].entries()) {
    const part = parts[i] ?? "";
    if (part.length !== length) return `element ${i + 1} must be ${length} characters long`;
    const bad = /[^\da-fA-F]/u.exec(part);
    if (bad !== null) return `non-hex character '${bad[0]}'`;
  }
  return undefined;
};

const duration: Check = (text) => {
  if (!text.startsWith("P")) return "must start with P";
  if (text === "P") return "nothing after P";
  const isValid = /^P(?:\d+W|(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$/.test(text);
  return isValid ? undefined : "missing number";
};

/** Formats every draft has; others are accepted unseen, as the library accepts them. */
const checks: ReadonlyMap<string, Check> = new Map([
  ["ipv4", ipv4],
  ["ipv6", ipv6],
  ["hostname", hostname],
  ["email", email],
  ["date", date],
  ["time", time],
  ["date-time", dateTime],
  ["uri", uri],
  ["iri", uri],
  ["uri-reference", uriReference],
  ["iri-reference", uriReference],
  ["json-pointer", jsonPointer],
  ["uuid", uuid],
  ["duration", duration],
]);

/** Why a text is not of a format; undefined when it is, or when the format is unknown. */
export function formatProblem(format: string, text: string): string | undefined {
  return checks.get(format)?.(text);
}
