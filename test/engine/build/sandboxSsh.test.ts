import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import path from "node:path";
import { describe, test } from "node:test";
import { openAgentSocket } from "../../../engine/build/sandboxSsh.ts";
import { skipUnless } from "../../support/requirement.ts";
import { scratch } from "../layer/layerFixture.ts";

/** Connects to a socket by a path of any length, says something and gives the answer. */
async function ask(socketPath: string, question: string): Promise<string> {
  process.chdir(path.dirname(socketPath));
  const client = connect(path.basename(socketPath));
  let answer = "";
  client.on("data", (chunk) => (answer += chunk.toString()));
  // A connection that is cut off has no answer.
  client.on("error", () => undefined);
  client.end(question);
  await new Promise((resolve) => client.once("close", resolve));
  return answer;
}

describe("the socket to the ssh agent", { skip: skipUnless(process.platform === "linux", "this is not Linux") }, () => {
  test("passes questions and answers through, with its own mode, below a directory of any length, and goes with its scope", async () => {
    using place = scratch();
    const here = process.cwd();
    const agent = createServer({ allowHalfOpen: true }, (socket) => {
      let heard = "";
      socket.on("data", (chunk) => (heard += chunk.toString()));
      socket.on("end", () => socket.end(`agent heard ${heard}`));
    });
    try {
      const agentPath = path.join(place.dir, "agent");
      agent.listen(agentPath);
      await once(agent, "listening");
      const dir = path.join(place.dir, "a-long-directory-name".repeat(8));
      mkdirSync(dir);
      const mine = path.join(dir, "socket0");
      {
        await using _socket = await openAgentSocket(dir, "socket0", {
          socket: agentPath,
          mode: 0o640,
          uid: 0,
          gid: 0,
          setOwner: false,
        });
        assert.equal(statSync(mine).mode & 0o7777, 0o640);
        assert.equal(await ask(mine, "one"), "agent heard one");
        assert.equal(await ask(mine, "two"), "agent heard two");
      }
      assert.ok(!existsSync(mine));
    } finally {
      agent.close();
      process.chdir(here);
    }
  });

  test("an agent that is gone ends the connection, not the engine", async () => {
    using place = scratch();
    const here = process.cwd();
    try {
      await using _socket = await openAgentSocket(place.dir, "s", {
        socket: path.join(place.dir, "nobody"),
        mode: 0o600,
        uid: 0,
        gid: 0,
        setOwner: false,
      });
      assert.equal(await ask(path.join(place.dir, "s"), "hello"), "");
    } finally {
      process.chdir(here);
    }
  });
});
