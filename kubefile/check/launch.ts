import { inBatches } from "../batches.ts";
import type { Instruction, Word } from "../syntax.ts";
import type { CheckContext } from "./context.ts";
import { type DocumentView, type Entry, ofKind, place } from "./document.ts";
import { add, type Finding, type FindingDetails, finding, isVariable, replace, suggestion } from "./finding.ts";
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
    ...checkTwice(view, apps),
    ...checkNetworks(view),
    ...checkReplaced(view),
  ];
}

function checkPlaces(view: DocumentView): Finding[] {
  const found: Finding[] = [];
  for (const kind of ["LAUNCH", "CMDS"] as const) {
    const entries = ofKind(view, kind);
    const first = entries[0];
    for (const entry of entries) {
      const one = first === undefined || entry === first ? notLast(view, entry) : second(view, entry, first);
      if (one !== undefined) found.push(one);
    }
  }
  return found;
}

function second(view: DocumentView, entry: Entry, first: Entry): Finding | undefined {
  if (!view.wants("KF102")) return undefined;
  const { kind } = entry.node;
  const related = [{ span: place(first, first.node.keyword.span), message: `the first ${kind}` }];
  return finding("KF102", place(entry, entry.node.keyword.span), `Only one ${kind} may stand in a file.`, { related });
}

function notLast(view: DocumentView, entry: Entry): Finding | undefined {
  const next = view.entries[entry.order + 1];
  if (next === undefined || !view.wants("KF101")) return undefined;
  const related = [{ span: place(next, next.node.keyword.span), message: "follows it" }];
  const span = place(entry, entry.node.keyword.span);
  return finding("KF101", span, `${entry.node.kind} must be the last instruction.`, { related });
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
  inBatches(apps.length, (from, to) => {
    for (let index = from; index < to; index++) {
      const entry = apps[index];
      const name = entry?.node.app?.value;
      if (entry !== undefined && name !== undefined && !declared.has(name)) declared.set(name, entry);
    }
  });
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
  const guess = guesser(() => declared.keys());
  const names: Declared = { declared, inherited: inheritedApps(view, context), guess };
  const found: Finding[] = [];
  inBatches(users.length, (from, to) => {
    for (const entry of users.slice(from, to)) {
      for (const name of usedApps(entry)) add(found, checkUse(view, entry, name, names));
    }
  });
  return found;
}

interface Declared {
  readonly declared: ReadonlyMap<string, AppEntry>;
  readonly inherited: ReadonlySet<string> | undefined;
  readonly guess: (name: string) => string | undefined;
}

const nothing: readonly Finding[] = [];

function checkUse(view: DocumentView, entry: UserEntry, name: Word, names: Declared): readonly Finding[] {
  const { declared, inherited, guess } = names;
  const known = inherited !== undefined;
  const app = declared.get(name.value);
  if (app !== undefined && (app.order < entry.order || entry.node.kind === "LAUNCH")) return nothing;
  if (name.value === "" || inherited?.has(name.value) === true || isVariable(name.text)) return nothing;
  if (app !== undefined) {
    return view.wants("KF105", known ? {} : mild) ? [tooEarly(entry, name, app, known)] : nothing;
  }
  const meant = guess(name.value);
  return view.wants("KF104", undeclaredDetails(meant, known)) ? [undeclared(entry, name, meant, known)] : nothing;
}

const mild = { severity: "warning" } as const;
const milder = { severity: "information" } as const;

/** How much it matters that an application is not declared: little, when the base image may have it. */
function undeclaredDetails(meant: string | undefined, known: boolean): Pick<FindingDetails, "severity"> {
  if (known) return {};
  return meant === undefined ? milder : mild;
}

function tooEarly(entry: Entry, name: Word, app: AppEntry, known: boolean): Finding {
  const related = [{ span: place(app, app.node.span), message: `${name.value} is declared here` }];
  const message = `${entry.node.kind} stands above the ${app.node.kind} of ${name.value}: move it below.`;
  return finding("KF105", place(entry, name.span), message, {
    related,
    ...(known ? {} : mild),
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
    ...undeclaredDetails(meant, known),
    fixes,
  });
}

function checkTwice(view: DocumentView, apps: readonly AppEntry[]): Finding[] {
  const first = new Map<string, AppEntry>();
  const found: Finding[] = [];
  for (const entry of apps) {
    const name = entry.node.app;
    if (name === undefined) continue;
    const earlier = first.get(name.value);
    if (earlier === undefined) {
      first.set(name.value, entry);
    } else if (view.wants("KF108")) {
      const span = place(earlier, (earlier.node.app ?? earlier.node.keyword).span);
      const related = [{ span, message: "declared here first" }];
      const message = `${name.value} is declared twice: this one counts, the files of both stay.`;
      found.push(finding("KF108", place(entry, name.span), message, { related }));
    }
  }
  return found;
}

function checkNetworks(view: DocumentView): Finding[] {
  const [first, ...others] = ofKind(view, "CNI");
  if (first === undefined) return [];
  const related = [{ span: place(first, first.node.span), message: "the first CNI" }];
  const found: Finding[] = [];
  for (const entry of others) {
    if (!view.wants("KF109")) continue;
    const span = place(entry, entry.node.keyword.span);
    found.push(finding("KF109", span, "A cluster has one network: keep one CNI.", { related }));
  }
  return found;
}

/** Earlier CMD, ENTRYPOINT and HEALTHCHECK of a stage, which the last one replaces. sealer keeps every CMD. */
function checkReplaced(view: DocumentView): Finding[] {
  const found: Finding[] = [];
  for (const kind of ["CMD", "ENTRYPOINT", "HEALTHCHECK"] as const) {
    const last = new Map<number, Entry>();
    for (const entry of ofKind(view, kind)) last.set(entry.stage, entry);
    for (const entry of ofKind(view, kind)) {
      const winner = last.get(entry.stage);
      if (winner === undefined || winner === entry || !view.wants("KF073", { only: "sealos" })) continue;
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
