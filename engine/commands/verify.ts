import type { Command } from "./command.ts";
import { sizeText } from "./text.ts";

export const command: Command = {
  summary: "Read every blob of the store again and compare it with its digest",
  usage: "",
  positionals: [0, 0],
  options: {},
  async run(context) {
    await using engine = await context.openEngine();
    const result = await engine.verify(context.signal);
    if (context.json) context.print(JSON.stringify(result));
    else {
      for (const { digest, fault } of result.faults) context.print(`${digest}  ${fault}`);
      const verdict = result.faults.length === 0 ? "all whole" : `${result.faults.length} damaged`;
      context.print(`${result.checkedBlobs} blobs, ${sizeText(result.checkedBytes)}: ${verdict}`);
    }
    return result.faults.length === 0 ? 0 : 1;
  },
};
