import { check } from "../kubefile/check/check.ts";
import type { Problem } from "../kubefile/problems.ts";
import type { Kubefile } from "../kubefile/syntax.ts";
import { ContextSnapshot } from "./contextSnapshot.ts";
import type { OpenKubefile } from "./documents.ts";
import type { Settings } from "./settings.ts";
import type { World } from "./world.ts";

/** The problems of one version of a Kubefile. */
export interface Checked {
  readonly problems: readonly Problem[];
  /** Differs whenever the problems may differ. */
  readonly id: string;
  /** Something was not known yet: finds it out, and says whether another check is worth it. */
  readonly learn: (() => Promise<boolean>) | undefined;
}

interface Kept {
  readonly settings: Settings;
  readonly generation: number;
  readonly checked: Checked;
}

/** Rules that speak of an application's files as a whole, and so need all of them. */
const needsAllFiles: ReadonlySet<string> = new Set(["KF107"]);
/** How often one version may ask for more: folders below folders take a round each. */
const mostRounds = 24;

/** Checks Kubefiles, once for each version, settings and state of the world. */
export class Checker {
  readonly #world: World;
  readonly #kept = new WeakMap<Kubefile, Kept>();
  readonly #rounds = new WeakMap<Kubefile, number>();
  #generation = 0;
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }

  check(document: OpenKubefile, settings: Settings): Checked {
    const { tree } = document;
    const kept = this.#kept.get(tree);
    if (kept?.settings === settings && kept.generation === this.#generation) return kept.checked;
    const snapshot = new ContextSnapshot(this.#world.context(document.uri), this.#world.images);
    // One more than is shown tells that there are more.
    const problems = problemsWith(tree, settings, snapshot, settings.problemLimit + 1);
    const checked: Checked = {
      problems,
      id: String(++this.#count),
      learn: snapshot.incomplete ? () => this.#learn(tree, snapshot) : undefined,
    };
    this.#kept.set(tree, { settings, generation: this.#generation, checked });
    return checked;
  }

  /** Every problem, however many there are. */
  checkAll(document: OpenKubefile, settings: Settings): readonly Problem[] {
    const snapshot = new ContextSnapshot(this.#world.context(document.uri), this.#world.images);
    return problemsWith(document.tree, settings, snapshot, Number.MAX_SAFE_INTEGER);
  }

  /** Files or images changed: what was found before no longer counts. */
  worldChanged(): void {
    this.#generation++;
  }

  async #learn(tree: Kubefile, snapshot: ContextSnapshot): Promise<boolean> {
    const round = (this.#rounds.get(tree) ?? 0) + 1;
    this.#rounds.set(tree, round);
    if (round > mostRounds) return false;
    const learnt = await snapshot.load();
    if (learnt) this.#kept.delete(tree);
    return learnt;
  }
}

function problemsWith(
  tree: Kubefile,
  { dialect, severities }: Settings,
  snapshot: ContextSnapshot,
  limit: number,
): readonly Problem[] {
  const all = check(tree, { dialect, severities, context: snapshot, limit });
  return snapshot.filesUnread ? all.filter((problem) => !needsAllFiles.has(problem.code)) : all;
}
