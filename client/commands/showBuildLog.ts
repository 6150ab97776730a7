import { l10n, window, workspace } from "vscode";
import { type BuildRecord, builds } from "../../engine/protocol.ts";
import { age, duration } from "../age.ts";
import { byteSize } from "../byteSize.ts";
import type { Command } from "./command.ts";
import { subjectsOf } from "./subjects.ts";

/** Opens what is kept of a past build: each step, how it went and why, and the error where there was one. */
export const showBuildLog: Command = {
  id: "kubefile.showBuildLog",
  needsTrust: true,
  async run(session, ...args) {
    const chosen = subjectsOf(args).find((subject) => subject.build)?.build;
    const record = chosen ?? (await pick(await session.engine.request(builds, { limit: 50 })));
    if (record === undefined) return;
    const document = await workspace.openTextDocument({ language: "log", content: logOf(record) });
    await window.showTextDocument(document, { preview: true });
  },
};

async function pick(records: readonly BuildRecord[]): Promise<BuildRecord | undefined> {
  if (records.length === 0) {
    void window.showInformationMessage(l10n.t("Nothing was built with this store yet."));
    return undefined;
  }
  const items = records.map((record) => ({
    label: record.references.join(", ") || record.kubefile,
    description: `${record.outcome} · ${age(record.startedAt, Date.now())} · ${duration(record.durationMs)}`,
    record,
  }));
  return (await window.showQuickPick(items, { title: l10n.t("Show Build Log") }))?.record;
}

function logOf(record: BuildRecord): string {
  const head = [
    `${record.outcome}: ${record.references.join(", ") || "unnamed image"} ${record.digest ?? ""}`,
    `Kubefile ${record.kubefile}`,
    `started ${new Date(record.startedAt).toISOString()}, took ${duration(record.durationMs)}`,
  ];
  const steps = record.steps.map((step, index) => {
    const size = step.layer ? `, ${byteSize(step.layer.size)}, ${step.layer.diffId}` : "";
    const reason = step.reason === "" ? "" : `\n      ${step.reason}`;
    return `[${index + 1}/${record.steps.length}] ${step.info.line}: ${step.info.text}\n      ${step.outcome}, ${duration(step.durationMs)}${size}${reason}`;
  });
  const error = record.error ? ["", `error: ${record.error.code} ${record.error.message}`] : [];
  return `${[...head, "", ...steps, ...error].join("\n")}\n`;
}
