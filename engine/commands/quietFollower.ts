import type { BuildFollower } from "../operations/buildImage.ts";

/** Follows a build that is only a means: warnings and failures are told, steps are not. */
export function quietFollower(say: (text: string) => void): BuildFollower {
  const nothing = (): void => undefined;
  return {
    planned: nothing,
    started: nothing,
    progress: nothing,
    output: (_step, _stream, text) => say(text),
    finished: nothing,
    failed: (step) => say(`${step.place.text} → failed`),
    containerImages: nothing,
    warning: (_step, message) => say(`warning: ${message}`),
  };
}
