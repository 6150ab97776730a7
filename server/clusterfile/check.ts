import type { Document, Node, YAMLMap, YAMLSeq } from "yaml";
import * as yaml from "yaml";
import type { Span } from "../../kubefile/span.ts";
import { documentSchemas, hostPhases } from "./schema.ts";
import { type ClusterfileProblem, didYouMean, spanOfNode, validate } from "./validate.ts";

/** Everything that is wrong in a Clusterfile, in the order of the text. */
export function checkClusterfile(text: string): ClusterfileProblem[] {
  const problems: ClusterfileProblem[] = [];
  const report = (problem: ClusterfileProblem): void => {
    problems.push(problem);
  };
  let clusters = 0;
  for (const document of documentsOf(text)) {
    for (const { pos, message } of document.errors) {
      const [first = message] = message.split("\n");
      report({
        code: "clusterfile-syntax",
        severity: "error",
        span: { start: pos[0], end: pos[1] },
        message: first.replace(/ at line \d+.*$/u, "."),
      });
    }
    if (document.errors.length > 0) continue;
    const kind = checkDocument(document, report);
    if (kind === "Cluster" && ++clusters === 2) {
      report({
        code: "clusterfile-second-cluster",
        severity: "warning",
        span: keySpan(document.contents),
        message: "A second Cluster replaces the first one.",
      });
    }
  }
  return problems.sort((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
}

function documentsOf(text: string): Document.Parsed[] {
  const documents = yaml.parseAllDocuments(text, { logLevel: "silent", uniqueKeys: true });
  return Array.isArray(documents) ? documents : [];
}

type Report = (problem: ClusterfileProblem) => void;

function checkDocument(document: Document.Parsed, report: Report): string | undefined {
  const { contents } = document;
  if (contents === null || (yaml.isScalar(contents) && contents.value === null)) return undefined;
  const at = keySpan(contents);
  if (!yaml.isMap(contents)) {
    report({
      code: "clusterfile-type",
      severity: "error",
      span: spanOfNode(contents, at),
      message: "A Clusterfile is made of maps.",
    });
    return undefined;
  }
  const kindNode = contents.get("kind", true);
  const kind = yaml.isScalar(kindNode) ? String(kindNode.value) : undefined;
  if (kind === undefined) {
    report({
      code: "clusterfile-missing-field",
      severity: "warning",
      span: at,
      message: "“kind” is missing, so sealer passes over this document.",
    });
    return undefined;
  }
  const schema = Object.hasOwn(documentSchemas, kind) ? documentSchemas[kind] : undefined;
  if (schema === undefined) {
    report({
      code: "clusterfile-unknown-kind",
      severity: "warning",
      span: spanOfNode(kindNode as Node, at),
      message: `sealer passes over kind “${kind}”.${didYouMean(kind, Object.keys(documentSchemas))}`,
    });
    return kind;
  }
  validate(contents, schema, spanOfNode(kindNode as Node, at), { report });
  if (kind === "Cluster") checkHosts(contents, report);
  if (kind === "Plugin") checkScope(contents, report);
  return kind;
}

/** The first key of a map, a short place to point at for the whole document. */
function keySpan(node: Node | null): Span {
  const first = yaml.isMap(node) ? node.items[0]?.key : node;
  return spanOfNode(yaml.isNode(first) ? first : node, { start: 0, end: 0 });
}

/** One family of addresses, each address once, and at least one master. */
function checkHosts(cluster: YAMLMap, report: Report): void {
  const list = cluster.getIn(["spec", "hosts"], true);
  if (!yaml.isSeq(list) || list.items.length === 0) return;
  const hosts = (list as YAMLSeq<Node>).items.filter(yaml.isMap);
  checkAddresses(
    hosts.flatMap((host) => textsOf(host.get("ips", true))),
    report,
  );
  const roles = hosts.flatMap((host) => textsOf(host.get("roles", true)));
  if (roles.some(({ value }) => value === "master")) return;
  const { start } = spanOfNode(list, { start: 0, end: 0 });
  const span = { start, end: start + 1 };
  report({ code: "clusterfile-no-master", severity: "warning", span, message: "No host has the role master." });
}

function checkAddresses(addresses: readonly { readonly value: string; readonly span: Span }[], report: Report): void {
  const seen = new Set<string>();
  const sixes = addresses[0]?.value.includes(":");
  for (const { value, span } of addresses) {
    if (value.includes(":") !== sixes)
      report({ code: "clusterfile-address", severity: "error", span, message: "Hosts must be all IPv4 or all IPv6." });
    if (seen.has(value))
      report({ code: "clusterfile-address", severity: "error", span, message: `${value} is given twice.` });
    seen.add(value);
  }
}

/** A phase of hosts without a scope runs nowhere. */
function checkScope(plugin: YAMLMap, report: Report): void {
  const action = plugin.getIn(["spec", "action"], true);
  if (!yaml.isScalar(action) || typeof action.value !== "string") return;
  const scope = plugin.getIn(["spec", "scope"]);
  const onHosts = action.value.split("|").find((phase) => hostPhases.includes(phase));
  if (onHosts === undefined || (typeof scope === "string" && scope !== "")) return;
  report({
    code: "clusterfile-no-scope",
    severity: "warning",
    span: spanOfNode(action, { start: 0, end: 0 }),
    message: `${onHosts} runs on the hosts of “scope”; without one it runs nowhere.`,
  });
}

function textsOf(node: unknown): { readonly value: string; readonly span: Span }[] {
  if (!yaml.isSeq(node)) return [];
  return (node.items as Node[]).flatMap((item) =>
    yaml.isScalar(item) && typeof item.value === "string"
      ? [{ value: item.value, span: spanOfNode(item, { start: 0, end: 0 }) }]
      : [],
  );
}
