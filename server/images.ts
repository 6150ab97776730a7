import type { Connection } from "vscode-languageserver";
import {
  type ImageFacts,
  imageFactsRequest,
  imageTagsRequest,
  type LocalImage,
  localImagesRequest,
} from "./protocol.ts";

/**
 * What is known of images. `known…` answers at once with what was learnt before; the others ask the client, wait at most
 * their timeout, and never reject. An answer that comes late is kept for the next question.
 */
export interface Images {
  facts(reference: string, timeoutMs: number): Promise<ImageFacts | undefined>;
  /** undefined: not asked yet. null: asked, and the store does not have it. */
  knownFacts(reference: string): ImageFacts | null | undefined;
  tags(repository: string, timeoutMs: number): Promise<readonly string[]>;
  local(timeoutMs: number): Promise<readonly LocalImage[]>;
  /** Drops what was learnt of the local store. */
  forget(): void;
}

/** No client to ask: nothing is known. */
export const noImages: Images = {
  facts: async () => undefined,
  knownFacts: () => null,
  tags: async () => [],
  local: async () => [],
  forget: () => {},
};

const tagsKeptMs = 10 * 60_000;
const mostRemembered = 500;

/** Images as the client's engine knows them. `onLate` is called for an answer nobody waited for any more. */
export function clientImages(
  connection: Pick<Connection, "sendRequest">,
  now: () => number,
  onLate: () => void,
): Images {
  const facts = new Map<string, ImageFacts | null>();
  const asking = new Map<string, Promise<ImageFacts | undefined>>();
  /** References whose answer came too late for somebody. */
  const late = new Set<string>();
  const tags = new Map<string, { readonly at: number; readonly answer: Promise<readonly string[]> }>();
  let images: Promise<readonly LocalImage[]> | undefined;
  let generation = 0;

  function askFacts(reference: string): Promise<ImageFacts | undefined> {
    const known = facts.get(reference);
    if (known !== undefined) return Promise.resolve(known ?? undefined);
    const waiting = asking.get(reference);
    if (waiting !== undefined) return waiting;
    const askedIn = generation;
    const asked = connection.sendRequest(imageFactsRequest, { reference }).then(
      (answer) => {
        asking.delete(reference);
        if (askedIn === generation) {
          remember(facts, reference, answer);
          if (late.delete(reference) && answer !== null) onLate();
        }
        return answer ?? undefined;
      },
      () => {
        asking.delete(reference);
        // A client that fails to answer is not asked the same again until its store changes.
        if (askedIn === generation) remember(facts, reference, null);
        return undefined;
      },
    );
    asking.set(reference, asked);
    return asked;
  }

  return {
    facts(reference, timeoutMs) {
      const asked = askFacts(reference);
      return within(asked, timeoutMs, undefined, () => late.add(reference));
    },
    knownFacts(reference) {
      return facts.get(reference);
    },
    tags(repository, timeoutMs) {
      const kept = tags.get(repository);
      if (kept !== undefined && now() - kept.at < tagsKeptMs) return within(kept.answer, timeoutMs, []);
      const answer = connection.sendRequest(imageTagsRequest, { repository }).then(
        (found) => found?.tags ?? [],
        () => {
          tags.delete(repository);
          return [];
        },
      );
      remember(tags, repository, { at: now(), answer });
      return within(answer, timeoutMs, []);
    },
    local(timeoutMs) {
      images ??= connection.sendRequest(localImagesRequest, {}).then(
        (found) => found?.images ?? [],
        () => {
          images = undefined;
          return [];
        },
      );
      return within(images, timeoutMs, []);
    },
    forget() {
      generation++;
      facts.clear();
      asking.clear();
      late.clear();
      images = undefined;
    },
  };
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > mostRemembered && !oldest.done) map.delete(oldest.value);
}

/** The answer, or `late` when it takes longer. The timer never outlives the answer. */
function within<T>(answer: Promise<T>, timeoutMs: number, late: T, onTimeout: () => void = () => {}): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      onTimeout();
      resolve(late);
    }, timeoutMs);
    const settle = (value: T): void => {
      clearTimeout(timer);
      resolve(value);
    };
    answer.then(settle, () => settle(late));
  });
}
