/** What a registry asks for when it answers 401: the `WWW-Authenticate` header, parsed once. */

/** One way of authorizing that a registry accepts. */
export type Challenge =
  | { readonly kind: "basic"; readonly realm: string }
  | {
      readonly kind: "bearer";
      /** The address of the token server. */
      readonly realm: string;
      readonly service?: string;
      readonly scope?: string;
      /** `insufficient_scope`, `invalid_token`: why a token that was sent is not enough. */
      readonly error?: string;
    };

/**
 * Reads the challenges of a `WWW-Authenticate` header; schemes other than Basic and Bearer are left out. Several headers
 * may be given joined by commas, as Node does, or as a list.
 *
 * @see RFC 9110 section 11.6.1, and distribution's token specification
 */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  if (header === undefined) return [];
  const text = typeof header === "string" ? header : header.join(", ");
  return split(text).flatMap(({ scheme, parameters }): readonly Challenge[] => {
    const realm = parameters.get("realm") ?? "";
    if (scheme === "basic") return [{ kind: "basic", realm }];
    if (scheme !== "bearer" || realm === "") return [];
    const service = parameters.get("service");
    const scope = parameters.get("scope");
    const error = parameters.get("error");
    return [
      {
        kind: "bearer",
        realm,
        ...(service === undefined ? {} : { service }),
        ...(scope === undefined ? {} : { scope }),
        ...(error === undefined ? {} : { error }),
      },
    ];
  });
}

interface Parsed {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
}

/** A comma ends a parameter and also a challenge: a word not followed by `=` starts the next one. */
function split(text: string): readonly Parsed[] {
  const found: Parsed[] = [];
  const token = /\s*,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, name = "", quoted, plain] = match;
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1");
    if (value === undefined) found.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else found.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return found;
}
