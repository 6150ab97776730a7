import { type CommandContext, flagOption } from "./command.ts";
import { durationText, sizeText } from "./text.ts";

/** How often a line of progress is printed, in milliseconds; what is quicker prints none. */
const everyMs = 1000;

/** Tells how far saving or loading is: a line now and then, JSON with `--json`, nothing with `--quiet`. */
export function archiveControl(
  context: CommandContext,
  what: string,
): {
  readonly onProgress: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
  readonly signal: AbortSignal;
} {
  const startedAt = performance.now();
  let toldAt = startedAt;
  const quiet = flagOption(context, "quiet");
  return {
    signal: context.signal,
    onProgress({ doneBytes, totalBytes }) {
      const now = performance.now();
      if (quiet || now - toldAt < everyMs || doneBytes === 0) return;
      toldAt = now;
      if (context.json) return context.say(JSON.stringify({ progress: { doneBytes, totalBytes } }));
      const elapsedMs = now - startedAt;
      const leftMs = (elapsedMs / doneBytes) * (totalBytes - doneBytes);
      const percent = Math.floor((doneBytes / Math.max(1, totalBytes)) * 100);
      const speed = sizeText((doneBytes / elapsedMs) * 1000);
      context.say(`${what}: ${percent} %, ${sizeText(doneBytes)}, ${speed}/s, ${durationText(leftMs)} left`);
    },
  };
}
