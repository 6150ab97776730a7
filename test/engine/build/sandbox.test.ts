import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FailedRun, OnLine, SandboxMount } from "../../../engine/build/sandboxSpec.ts";
import { findSandboxTools } from "../../../engine/build/sandboxTools.ts";
import { type EngineError, isEngineError } from "../../../engine/errors.ts";
import { type Bench, bench, busyboxLayer, scratch, skipWithoutSandbox } from "./sandboxFixture.ts";

const isRoot = process.geteuid?.() === 0;
const asRootOnly = isRoot ? false : "this needs root";

/** Host processes whose command line contains a word. */
function processesWith(word: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

async function eventually(check: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (check()) return;
    await sleep(25);
  }
  assert.fail(what);
}

describe("the sandbox", { skip: skipWithoutSandbox() }, () => {
  const place = scratch();
  let box: Bench & AsyncDisposable;
  before(async () => {
    box = await bench(place.dir);
  });
  after(async () => {
    await box[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(box.rootfs.runsDir), [], "every run has cleared up");
    place[Symbol.dispose]();
  });

  const changesOf = async (text: string, mounts: readonly SandboxMount[] = []): Promise<readonly string[]> => {
    const { run } = await box.run(text, { mounts });
    await using _run = run;
    return (await run.changes()).map((entry) => entry.path);
  };

  test("the environment is the listed one and nothing of the host's", async () => {
    process.env["KUBEFILE_TEST_LEAK"] = "leak";
    try {
      const { run, stdout } = await box.run("", {
        command: { kind: "exec", argv: ["/bin/env"] },
        env: {
          PLAIN: "1",
          QUOTED: `it's "x" $HOME \`id\` \\`,
          UTF8: "käse",
          "with.dot": "2",
          MULTI: "a b",
          UID: "7",
          EMPTY: "",
          LC_ALL: "C.UTF-8",
        },
      });
      await using _run = run;
      assert.deepEqual([...stdout].sort(), [
        "EMPTY=",
        "HOME=/root",
        "LC_ALL=C.UTF-8",
        "MULTI=a b",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PLAIN=1",
        `QUOTED=it's "x" $HOME \`id\` \\`,
        "UID=7",
        "UTF8=käse",
        "with.dot=2",
      ]);
    } finally {
      delete process.env["KUBEFILE_TEST_LEAK"];
    }
  });

  test("variables of the loader reach the command and no program of the host", async () => {
    const { run, lines } = await box.run("echo $LD_PRELOAD; echo $LD_LIBRARY_PATH", {
      env: { LD_PRELOAD: "/nowhere/evil.so", LD_LIBRARY_PATH: "/a b" },
    });
    await using _run = run;
    assert.deepEqual(lines, [
      { stream: "stdout", line: "/nowhere/evil.so" },
      { stream: "stdout", line: "/a b" },
    ]);
  });

  test("a variable whose name cannot be one is refused", async () => {
    for (const name of ["", "a=b", "a\0"]) {
      await assert.rejects(box.run("true", { env: { [name]: "x" } }), (e) => isEngineError(e, "RUN_ENV_INVALID"));
    }
  });

  test("it sees no process, no file and no mount of the host", async () => {
    const marker = path.join(place.dir, "host-file");
    writeFileSync(marker, "host");
    const { run, stdout } = await box.run(
      `ps | grep -v grep | wc -l; cat ${marker} 2>&1; ls /proc/1/root/; cut=1; cat /proc/mounts | grep -c ${place.dir}; ls -d /usr /home /var 2>/dev/null; echo end`,
    );
    await using _run = run;
    const text = stdout.join("\n");
    assert.ok(!text.includes("host\n"), "A FILE OF THE HOST WAS READ");
    assert.match(text, /No such file/);
    assert.match(text, /\n0\nend$/);
  });

  test("there is no way out of the root: not by chroot, not by unmounting, not through /proc", async () => {
    const { run, stdout } = await box.run(
      [
        "mkdir /jail; chroot /jail /bin/true 2>/dev/null",
        "umount -l / 2>&1; umount /proc 2>&1; mount -t tmpfs none /tmp 2>&1",
        "cd /; cd ../../../../..; ls; ls /proc/self/root/../../..",
        "unshare -m true 2>&1",
        "echo 1 > /proc/sys/kernel/sysrq 2>&1; echo c > /proc/sysrq-trigger; cat /proc/kcore | wc -c",
      ].join("\n"),
    );
    await using _run = run;
    const text = stdout.join("\n");
    assert.ok(!/\b(?:usr|home|boot)\b/.test(text), `THE HOST'S ROOT WAS SEEN: ${text}`);
    assert.match(text, /umount: can't unmount \/: Operation not permitted/);
    assert.equal(stdout.at(-1), "0", "the kernel's memory is masked");
  });

  test("the classic way out of a chroot ends in the sandbox's own root", async () => {
    // A chroot into a subdirectory with the working directory outside it, then upwards.
    const { run, stdout } = await box.run(
      "mkdir -p /a/bin; cp /bin/busybox /a/bin/busybox; cd /; chroot /a /bin/busybox sh -c 'cd ..; cd ../../..; /bin/busybox ls -a' ; ls /bin | wc -l",
    );
    await using _run = run;
    assert.ok(!stdout.includes("usr"), "THE HOST'S ROOT WAS SEEN");
  });

  test("capabilities are Docker's and no others", async () => {
    const { run, stdout } = await box.run("grep -E 'Cap(Eff|Bnd|Inh|Amb)' /proc/self/status | tr -d '\\t'");
    await using _run = run;
    assert.deepEqual(stdout, [
      "CapInh:0000000000000000",
      "CapEff:00000000a80425fb",
      "CapBnd:00000000a80425fb",
      "CapAmb:0000000000000000",
    ]);
  });

  test("devices, shared memory and the host name are as everywhere", async () => {
    const { run, stdout } = await box.run(
      "for d in null zero full random urandom; do [ -c /dev/$d ] || echo no $d; done; echo x > /dev/null; dd if=/dev/zero bs=4 count=1 2>/dev/null | od -An -tx1; echo shm > /dev/shm/x; cat /dev/shm/x; [ -c /dev/pts/ptmx ] && hostname; echo by-name > /dev/stdout; echo by-name-2 > /dev/stderr",
    );
    await using _run = run;
    assert.deepEqual(stdout, [" 00 00 00 00", "shm", "kubefile", "by-name"]);
  });

  test("standard output and error are told apart, line by line, whatever the bytes", async () => {
    const { run, lines } = await box.run(
      "echo one; echo two >&2; printf 'no end'; printf '\\377\\n' >&2; i=0; while [ $i -lt 3 ]; do printf 'kä'; i=$((i+1)); done",
    );
    await using _run = run;
    const of = (stream: string): readonly string[] => lines.filter((l) => l.stream === stream).map(({ line }) => line);
    assert.deepEqual(of("stdout"), ["one", "no endkäkäkä"]);
    assert.deepEqual(of("stderr"), ["two", "\ufffd"]);
  });

  test("lines arrive while the command runs, and a long line in pieces", async () => {
    const seen: number[] = [];
    const { run, lines } = await box.run(
      "echo first; sleep 0.3; echo second; dd if=/dev/zero bs=100000 count=1 2>/dev/null | tr '\\0' x",
      {
        onLine: () => seen.push(performance.now()),
      },
    );
    await using _run = run;
    assert.equal(lines.length, 0);
    assert.ok((seen[1] as number) - (seen[0] as number) > 200);
    assert.equal(seen.length, 4);
  });

  test("a failing command is an error with its exit code and itself", async () => {
    await assert.rejects(box.run("echo said >&2; exit 7"), (error) => {
      assert.ok(isEngineError(error, "RUN_FAILED"));
      assert.deepEqual(error.facts, { command: "echo said >&2; exit 7", exitCode: 7, signal: undefined });
      return true;
    });
    await assert.rejects(
      box.run("kill -SEGV $$; sleep 1", {
        command: { kind: "exec", argv: ["/bin/sh", "-c", "(kill -9 $$) & wait; exit 3"] },
      }),
      (e) => isEngineError(e, "RUN_FAILED"),
    );
    await assert.rejects(box.run("", { command: { kind: "exec", argv: ["/no/such/program"] } }), (e) => {
      assert.ok(isEngineError(e, "RUN_FAILED"));
      assert.equal(e.facts.exitCode, 127);
      return true;
    });
  });

  test("USER is looked up in the image, with its groups and home", { skip: asRootOnly }, async () => {
    const id = async (user: string): Promise<string> => {
      const { run, stdout } = await box.run("echo $(id -u):$(id -g):$(id -G):$HOME", { user });
      await using _run = run;
      return stdout.join();
    };
    assert.equal(await id("app"), "1000:1001:1001 29 44:/home/app");
    assert.equal(await id("1000"), "1000:1001:1001 29 44:/home/app");
    assert.equal(await id("app:audio"), "1000:29:29:/home/app");
    assert.equal(await id("app:77"), "1000:77:77:/home/app");
    assert.equal(await id("4242"), "4242:0:0:/");
    assert.equal(await id("4242:4343"), "4242:4343:4343:/");
    assert.equal(await id("root"), "0:0:0:/root");
    for (const user of ["nobody-here", "app:nogroup-here", "broken", "99999999999"]) {
      await assert.rejects(id(user), (e) => isEngineError(e, "RUN_USER_UNKNOWN"), user);
    }
  });

  test("a user that is not root keeps no capability and can write its output by name", {
    skip: asRootOnly,
  }, async () => {
    const { run, stdout } = await box.run(
      "grep CapEff /proc/self/status | tr -d '\\t'; echo named > /dev/stdout; touch /root/x 2>/dev/null || echo refused",
      { user: "app" },
    );
    await using _run = run;
    assert.deepEqual(stdout, ["CapEff:0000000000000000", "named", "refused"]);
  });

  test("WORKDIR is where the command starts, and must be there", async () => {
    const { run, stdout } = await box.run("pwd", { workingDir: "/data/deep" });
    await using _run = run;
    assert.deepEqual(stdout, ["/data/deep"]);
    for (const workingDir of ["/nowhere", "/data/one"]) {
      await assert.rejects(box.run("pwd", { workingDir }), (e) => isEngineError(e, "RUN_WORKDIR_MISSING"));
    }
  });

  test("without network there is a loopback device that works, and nothing else", async () => {
    const { run, stdout } = await box.run("ip -o link | wc -l; ip -o link | grep -c 'lo:.*UP'; cat /etc/hosts", {
      network: "none",
    });
    await using _run = run;
    assert.deepEqual(stdout, ["1", "1", "127.0.0.1 localhost", "::1 localhost"]);
  });

  test("with network the host's is used, with its name servers and hosts, and neither lands in the layer", async () => {
    const server = createServer((socket) => socket.end("hello from outside\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      const { run, stdout } = await box.run(
        `nc 127.0.0.1 ${port} < /dev/null; cat /etc/hosts; echo changed >> /etc/hosts`,
        { network: "host" },
      );
      await using _run = run;
      assert.equal(stdout[0], "hello from outside");
      assert.deepEqual(stdout.slice(1).join("\n"), readFileSync("/etc/hosts", "utf8").trimEnd());
      assert.deepEqual(await run.changes(), []);
      assert.ok(!readFileSync("/etc/hosts", "utf8").includes("changed"), "A FILE OF THE HOST WAS WRITTEN");
    } finally {
      server.close();
    }
  });

  test("a program left in the background does not outlive its command", async () => {
    const { run } = await box.run("(setsid nohup sleep 98761 >/dev/null 2>&1 &) ; sleep 0.1");
    await using _run = run;
    await eventually(() => processesWith("98761").length === 0, "a daemon outlived its RUN");
  });

  for (const user of isRoot ? ["", "app"] : [""]) {
    test(`a cancel ends every process at once, daemons too${user === "" ? "" : ", with another user as well"}`, async () => {
      const controller = new AbortController();
      const lines: Parameters<OnLine>[] = [];
      const running = box.run(
        "(setsid nohup sleep 98762 >/dev/null 2>&1 &); trap '' TERM INT HUP; echo up; sleep 98762",
        {
          user,
          signal: controller.signal,
          onLine: (...line) => {
            lines.push(line);
            controller.abort();
          },
        },
      );
      await assert.rejects(running, (e) => isEngineError(e, "CANCELLED"));
      assert.deepEqual(lines, [["stdout", "up"]]);
      await eventually(() => processesWith("98762").length === 0, "a process outlived a cancel");
    });
  }

  test("a signal that has fired already starts nothing", async () => {
    await assert.rejects(box.run("true", { signal: AbortSignal.abort() }), (e) => isEngineError(e, "CANCELLED"));
  });

  test("time that is up ends it", async () => {
    const started = performance.now();
    await assert.rejects(box.run("sleep 98763", { timeoutMs: 600 }), (error) => {
      assert.ok(isEngineError(error, "RUN_TIMED_OUT"));
      assert.equal(error.facts.timeoutMs, 600);
      return true;
    });
    assert.ok(performance.now() - started < 5000);
    await eventually(() => processesWith("98763").length === 0, "a process outlived its time");
  });

  test("limits hold for open files, memory and processor time", async () => {
    const { run, stdout } = await box.run("ulimit -n; ulimit -v; ulimit -t", {
      limits: { openFiles: 123, addressSpaceBytes: 512 * 1024 * 1024, cpuSeconds: 77 },
    });
    await using _run = run;
    assert.deepEqual(stdout, ["123", String(512 * 1024), "77"]);
    await assert.rejects(box.run("while :; do :; done", { limits: { cpuSeconds: 1 } }), (e) =>
      isEngineError(e, "RUN_FAILED"),
    );
  });

  test("the umask of whoever starts the build changes nothing", async () => {
    const old = process.umask(0o077);
    try {
      const { run } = await box.run("touch /made; mkdir /dir");
      await using _run = run;
      assert.deepEqual(
        (await run.changes()).map(({ path: p, mode }) => [p, mode]),
        [
          ["dir", 0o755],
          ["made", 0o644],
        ],
      );
    } finally {
      process.umask(old);
    }
  });

  test("a script with a first line of its own runs as a file, and leaves nothing behind", async () => {
    const { run, stdout } = await box.run("", {
      command: { kind: "script", name: "EOF", text: '#!/bin/sh -e\necho "$0"\nls -l /dev/pipes | wc -l\n' },
    });
    await using _run = run;
    assert.deepEqual(stdout, ["/dev/pipes/EOF", "2"]);
    assert.deepEqual(await run.changes(), []);
  });

  test("a secret is there for the command alone: not in a layer, a list of arguments, an environment or a file of the host", async () => {
    const secret = "s3cr3t-value-0815";
    const mounts: SandboxMount[] = [
      { kind: "secret", target: "/run/secrets/token", value: Buffer.from(secret), mode: 0o400, uid: 0, gid: 0 },
      { kind: "secret", target: "/root/.netrc", value: Buffer.from([0, 255, 10, 13]), mode: 0o444, uid: 0, gid: 0 },
    ];
    let exposed = "";
    const { run, stdout } = await box.run(
      "stat -c '%a %s' /run/secrets/token; od -An -tx1 /root/.netrc; cat /run/secrets/token > /dev/shm/x; echo x > /run/secrets/token; sleep 0.4; wc -c < /dev/shm/x",
      {
        mounts,
        onLine: (...line) => {
          lines.push(line);
          if (exposed === "") exposed = hostTraces(secret, place.dir);
        },
      },
    );
    await using _run = run;
    assert.equal(exposed, "none");
    assert.deepEqual(
      lines.filter(([s]) => s === "stdout").map(([, line]) => line),
      ["400 17", " 00 ff 0a 0d", "17"],
    );
    assert.deepEqual(stdout, []);
    assert.match(String(lines.find(([s]) => s === "stderr")), /Read-only file system/);
    assert.deepEqual(await run.changes(), []);
  });
  const lines: Parameters<OnLine>[] = [];

  test("mounts leave no trace in the layer, their places least of all", async () => {
    const source = path.join(place.dir, "bound");
    mkdirSync(path.join(source, "sub"), { recursive: true });
    writeFileSync(path.join(source, "file"), "bound\n");
    const cache = path.join(place.dir, "cachedir");
    mkdirSync(cache, { mode: 0o777 });
    const mounts: SandboxMount[] = [
      { kind: "bind", target: "/new/place", source, readOnly: true },
      { kind: "bind", target: "/data/one", source: path.join(source, "file"), readOnly: true },
      { kind: "bind", target: "/scribble", source, readOnly: false },
      { kind: "tmpfs", target: "/var/tmp/mem", sizeBytes: 1024 * 1024 },
      { kind: "cache", target: "/root/.cache/go", source: cache, readOnly: false },
      { kind: "tmpfs", target: "/dev/more" },
    ];
    const paths = await changesOf(
      "set -e; cat /new/place/file /data/one; ! touch /new/place/x 2>/dev/null; echo changed > /scribble/file; touch /scribble/sub/x /var/tmp/mem/x /root/.cache/go/kept /dev/more/x; touch /real",
      mounts,
    );
    assert.deepEqual(paths, ["real"]);
    assert.equal(readFileSync(path.join(source, "file"), "utf8"), "bound\n", "A FILE OF THE HOST WAS WRITTEN");
    assert.deepEqual(readdirSync(path.join(source, "sub")), [], "A FILE OF THE HOST WAS WRITTEN");
    assert.deepEqual(readdirSync(cache), ["kept"]);
  });

  test("a mount's target is found as the image sees it: a symlink of the image never leads to the host", async () => {
    const paths = await changesOf("mkdir -p /run; rm -rf /data; ln -s /etc/kubefile-nowhere /data; ln -s /tmp /alias");
    assert.ok(paths.includes("data"));
    const tree = path.join(place.dir, "links");
    mkdirSync(path.join(tree, "real"), { recursive: true });
    spawnSync("ln", ["-s", "/etc", path.join(tree, "out")]);
    spawnSync("ln", ["-s", "../../../../../../real", path.join(tree, "up")]);
    const { layerOf } = await import("./sandboxFixture.ts");
    await using linked = await bench(path.join(place.dir, "linked"), [
      busyboxLayer(path.join(place.dir, "linked-src")),
      layerOf(tree, path.join(place.dir, "links.tar")),
    ]);
    const { run, stdout } = await linked.run("cat /etc/kf-mount-test; cat /real/s; cat /out/kf-mount-test", {
      mounts: [
        { kind: "secret", target: "/out/kf-mount-test", value: Buffer.from("inside\n"), mode: 0o444, uid: 0, gid: 0 },
        { kind: "secret", target: "/up/s", value: Buffer.from("real\n"), mode: 0o444, uid: 0, gid: 0 },
      ],
    });
    await using _run = run;
    assert.deepEqual(stdout, ["inside", "real", "inside"]);
    assert.ok(!existsSync("/etc/kf-mount-test"), "A PATH OF THE HOST WAS TOUCHED");
    assert.deepEqual(await run.changes(), []);
  });

  test("mounts that make no sense are refused with the reason", async () => {
    const value = Buffer.from("x");
    const secret = (target: string): SandboxMount => ({ kind: "secret", target, value, mode: 0o400, uid: 0, gid: 0 });
    const cases: Readonly<Record<string, readonly SandboxMount[]>> = {
      "a relative target": [secret("run/x")],
      "the root": [{ kind: "tmpfs", target: "/" }],
      "a way around to the root": [{ kind: "tmpfs", target: "/data/.." }],
      "/proc": [secret("/proc/self/x")],
      "a directory where a file is": [{ kind: "tmpfs", target: "/data/one" }],
      "a file where a directory is": [secret("/data")],
      "inside a cache": [{ kind: "cache", target: "/c", source: place.dir, readOnly: false }, secret("/c/x")],
      "a source that is not there": [
        { kind: "bind", target: "/b", source: path.join(place.dir, "nope"), readOnly: true },
      ],
      "a stage's path that is not there": [
        { kind: "stage", target: "/b", rootfs: box.rootfs, path: "/nope", readOnly: true },
      ],
    };
    for (const [what, mounts] of Object.entries(cases)) {
      await assert.rejects(box.run("true", { mounts }), (e) => isEngineError(e, "RUN_MOUNT_INVALID"), what);
    }
  });

  test("a path of another stage is mounted from its layers", async () => {
    const { run, stdout } = await box.run(
      "cat /other/four; ls /whole | wc -l; cat /file; touch /other/x 2>/dev/null || echo refused; touch /writable/x && echo thrown away",
      {
        mounts: [
          { kind: "stage", target: "/other", rootfs: box.rootfs, path: "/data/deep", readOnly: true },
          { kind: "stage", target: "/whole", rootfs: box.rootfs, path: "/", readOnly: true },
          { kind: "stage", target: "/file", rootfs: box.rootfs, path: "/data/two", readOnly: true },
          { kind: "stage", target: "/writable", rootfs: box.rootfs, path: "/data", readOnly: false },
        ],
      },
    );
    await using _run = run;
    assert.deepEqual(stdout, ["deep/four", "5", "two", "refused", "thrown away"]);
    assert.deepEqual(await run.changes(), []);
  });

  test("the ssh agent is reached through a socket of ours", async () => {
    const agentSocket = path.join(place.dir, "agent");
    const agent = createServer((socket) => socket.on("data", (d) => socket.end(`agent heard ${d}`)));
    agent.listen(agentSocket);
    await once(agent, "listening");
    try {
      const { run, stdout } = await box.run(
        "echo hi | nc local:/run/ssh-agent.sock 2>/dev/null || stat -c '%F %a' /run/ssh-agent.sock",
        {
          mounts: [{ kind: "ssh", target: "/run/ssh-agent.sock", agentSocket, mode: 0o600, uid: 0, gid: 0 }],
        },
      );
      await using _run = run;
      assert.deepEqual(stdout, ["socket 600"]);
      assert.deepEqual(await run.changes(), []);
    } finally {
      agent.close();
    }
  });

  test("what a failed command left behind can be entered, until it is let go", async () => {
    let failed: FailedRun | undefined;
    await assert.rejects(
      box.run("echo state > /left-behind; exit 1", {
        env: { STEP: "failed one" },
        workingDir: "/data",
        keepFailed: (it) => (failed = it),
      }),
      (e) => isEngineError(e, "RUN_FAILED"),
    );
    const [program, ...args] = (failed as unknown as FailedRun).enterArgv;
    const entered = spawnSync(program as string, args, {
      input: "cat /left-behind; echo $STEP; pwd; ls /proc | grep -c '^1$'\n",
    });
    assert.equal(entered.stdout.toString(), "state\nfailed one\n/data\n1\n", entered.stderr.toString());
    await (failed as unknown as FailedRun)[Symbol.asyncDispose]();
  });

  test("off Linux the error names the ways out", () => {
    assert.throws(
      () => findSandboxTools("darwin"),
      (error: EngineError) =>
        error.code === "SANDBOX_UNAVAILABLE" && /darwin/.test(error.message) && /WSL.*BuildKit/.test(error.message),
    );
  });

  test("what a killed engine left is cleared by the next run", async () => {
    const leftover = path.join(box.rootfs.runsDir, "000000000000-999999-1_dead");
    mkdirSync(path.join(leftover, "upper"), { recursive: true });
    // Of another world, so only a silent heartbeat tells that it is dead.
    const old = new Date(Date.now() - 600_000);
    const { utimesSync } = await import("node:fs");
    utimesSync(leftover, old, old);
    const { run } = await box.run("true");
    await using _run = run;
    assert.ok(!existsSync(leftover));
  });
});

/** Looks for a secret wherever the host could see it. */
function hostTraces(secret: string, dir: string): string {
  const encoded = Buffer.from(secret).toString("base64");
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    for (const file of ["cmdline", "environ"]) {
      try {
        const text = readFileSync(`/proc/${pid}/${file}`, "latin1");
        if (text.includes(secret) || text.includes(encoded)) return `/proc/${pid}/${file}`;
      } catch {
        // Gone, or not ours to read.
      }
    }
  }
  const found = spawnSync("grep", ["-rlE", `${secret}|${encoded}`, dir]).stdout.toString();
  assert.ok(statSync(dir).isDirectory());
  return found === "" ? "none" : found;
}
