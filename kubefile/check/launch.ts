import type { Instruction, Word } from "../syntax.ts";
import type { CheckContext } from "./context.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { type Finding, finding, isVariable, replace, suggestion } from "./finding.ts";
import { guesser } from "./similar.ts";

type AppEntry = Entry<Extract<Instruction, { kind: "APP" | "CNI" | "CSI" }>>;

/** Rules about applications and how they are launched. */
export function checkLaunch(view: DocumentView, context: CheckContext | undefined): Finding[] {
  const apps = [...ofKind(view, "APP"), ...ofKind(view, "CNI"), ...ofKind(view, "CSI")].sort(
    (a, b) => a.order - b.order,
  );
  return [
    ...checkPlaces(view),
    ...checkExclusion(view),
    ...checkDeclared(view, apps, context),
    ...checkTwice(apps),
    ...checkNetworks(view),
    ...checkReplaced(view),
  ];
}

function checkPlaces(view: DocumentView): Finding[] {
  const found: Finding[] = [];
  const last = view.entries.length - 1;
  for (const kind of ["LAUNCH", "CMDS"] as const) {
    const entries = ofKind(view, kind);
    const first = entries[0];
    for (const entry of entries) {
      const span = place(entry, entry.node.keyword.span);
      if (first !== undefined && entry !== first) {
        const related = [{ span: place(first, first.node.keyword.span), message: `the first ${kind}` }];
        found.push(finding("KF102", span, `Only one ${kind} may stand in a file.`, { related }));
        continue;
      }
      if (entry.order === last) continue;
      const next = view.entries[entry.order + 1];
      const related = next === undefined ? [] : [{ span: place(next, next.node.keyword.span), message: "follows it" }];
      found.push(finding("KF101", span, `${kind} must be the last instruction.`, { related }));
    }
  }
  return found;
}

function checkExclusion(view: DocumentView): Finding[] {
  const launch = ofKind(view, "LAUNCH")[0];
  if (launch === undefined) return [];
  const other: Entry | undefined = ofKind(view, "CMDS")[0] ?? ofKind(view, "CMD")[0];
  if (other === undefined) return [];
  const { kind } = other.node;
  const related = [{ span: place(other, other.node.keyword.span), message: kind }];
  return [
    finding(
      "KF103",
      place(launch, launch.node.keyword.span),
      `LAUNCH and ${kind} exclude each other: keep one of them.`,
      { related },
    ),
  ];
}

/** The applications of the base images, or `undefined` when they are not known. */
function inheritedApps(view: DocumentView, context: CheckContext | undefined): ReadonlySet<string> | undefined {
  const inherited = new Set<string>();
  const stages = new Set<string>();
  for (const { node } of ofKind(view, "FROM")) {
    const image = node.image?.value ?? "";
    if (image !== "scratch" && !stages.has(image.toLowerCase())) {
      const apps = context?.baseApps?.(image);
      if (apps === undefined) return undefined;
      for (const app of apps) inherited.add(app);
    }
    if (node.stageName !== undefined) stages.add(node.stageName.value.toLowerCase());
  }
  return inherited;
}

/** Where each application is declared first. */
function declarations(apps: readonly AppEntry[]): ReadonlyMap<string, AppEntry> {
  const declared = new Map<string, AppEntry>();
  for (const entry of apps) {
    const name = entry.node.app?.value;
    if (name !== undefined && !declared.has(name)) declared.set(name, entry);
  }
  return declared;
}

type UserEntry = Entry<Extract<Instruction, { kind: "LAUNCH" | "APPENV" | "APPCMDS" }>>;

function usedApps({ node }: UserEntry): readonly Word[] {
  if (node.kind === "LAUNCH") return node.apps;
  return node.app === undefined ? [] : [node.app];
}

function checkDeclared(view: DocumentView, apps: readonly AppEntry[], context: CheckContext | undefined): Finding[] {
  const users: readonly UserEntry[] = [
    ...ofKind(view, "LAUNCH"),
    ...ofKind(view, "APPENV"),
    ...ofKind(view, "APPCMDS"),
  ];
  if (users.length === 0) return [];
  const declared = declarations(apps);
  const inherited = inheritedApps(view, context);
  const known = inherited !== undefined;
  const guess = guesser(() => declared.keys());
  const found: Finding[] = [];
  for (const entry of users) {
    for (const name of usedApps(entry)) {
      const app = declared.get(name.value);
      const inOrder = app !== undefined && (app.order < entry.order || entry.node.kind === "LAUNCH");
      if (inOrder || isVariable(name.text) || name.value === "" || inherited?.has(name.value) === true) continue;
      if (app === undefined) found.push(undeclared(entry, name, guess(name.value), known));
      else found.push(tooEarly(entry, name, app, known));
    }
  }
  return found;
}

function tooEarly(entry: Entry, name: Word, app: AppEntry, known: boolean): Finding {
  const related = [{ span: place(app, app.node.span), message: `${name.value} is declared here` }];
  const message = `${entry.node.kind} stands above the ${app.node.kind} of ${name.value}: move it below.`;
  return finding("KF105", place(entry, name.span), message, {
    related,
    ...(known ? {} : { severity: "warning" as const }),
  });
}

function undeclared(entry: Entry, name: Word, meant: string | undefined, known: boolean): Finding {
  const span = place(entry, name.span);
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  const quoted = name.text.startsWith('"');
  const fixes =
    meant === undefined
      ? []
      : [suggestion(`Change to ${meant}`, replace(span, quoted ? JSON.stringify(meant) : meant))];
  if (known) {
    return finding("KF104", span, `No application is called ${name.value}: declare it with APP.${hint}`, { fixes });
  }
  return finding("KF104", span, `${name.value} is not declared here: it must come from the base image.${hint}`, {
    severity: meant === undefined ? "information" : "warning",
    fixes,
  });
}

function checkTwice(apps: readonly AppEntry[]): Finding[] {
  const first = new Map<string, AppEntry>();
  return apps.flatMap((entry) => {
    const name = entry.node.app;
    if (name === undefined) return [];
    const earlier = first.get(name.value);
    if (earlier === undefined) {
      first.set(name.value, entry);
      return [];
    }
    const related = [
      { span: place(earlier, (earlier.node.app ?? earlier.node.keyword).span), message: "declared here first" },
    ];
    return [
      finding(
        "KF108",
        place(entry, name.span),
        `${name.value} is declared twice: this one counts, the files of both stay.`,
        { related },
      ),
    ];
  });
}

function checkNetworks(view: DocumentView): Finding[] {
  const [first, ...others] = ofKind(view, "CNI");
  if (first === undefined || others.length === 0) return [];
  const related = [{ span: place(first, first.node.span), message: "the first CNI" }];
  return others.map((entry) =>
    finding("KF109", place(entry, entry.node.keyword.span), "A cluster has one network: keep one CNI.", { related }),
  );
}

/** Earlier CMD, ENTRYPOINT and HEALTHCHECK of a stage, which the last one replaces. sealer keeps every CMD. */
function checkReplaced(view: DocumentView): Finding[] {
  const found: Finding[] = [];
  for (const kind of ["CMD", "ENTRYPOINT", "HEALTHCHECK"] as const) {
    const last = new Map<number, Entry>();
    for (const entry of ofKind(view, kind)) last.set(entry.stage, entry);
    for (const entry of ofKind(view, kind)) {
      const winner = last.get(entry.stage);
      if (winner === undefined || winner === entry) continue;
      const related = [{ span: place(winner, winner.node.keyword.span), message: "this one counts" }];
      found.push(
        finding("KF073", place(entry, entry.node.span), `Another ${kind} follows, and only the last counts.`, {
          related,
          tags: ["unnecessary"],
          only: "sealos",
        }),
      );
    }
  }
  return found;
}
