import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "vscode-languageserver";
import { parseImageName } from "../../server/imageName.ts";
import { clientImages } from "../../server/images.ts";

/** A client that answers as told and counts what it is asked. */
function client(answer: (method: string) => Promise<unknown>): {
  connection: Pick<Connection, "sendRequest">;
  asked: string[];
} {
  const asked: string[] = [];
  const sendRequest = (type: { method: string }): Promise<unknown> => {
    asked.push(type.method);
    return answer(type.method);
  };
  return { connection: { sendRequest } as unknown as Pick<Connection, "sendRequest">, asked };
}

const facts = {
  reference: "a",
  digest: "sha256:0",
  sizeBytes: 1,
  layers: 1,
  platforms: [],
  apps: [],
  containerImages: [],
};

describe("facts of images", () => {
  test("are asked once, also by two at the same time", async () => {
    const { connection, asked } = client(async () => facts);
    const images = clientImages(
      connection,
      () => 0,
      () => {},
    );
    const both = await Promise.all([images.facts("a", 1000), images.facts("a", 1000)]);
    assert.deepEqual(both, [facts, facts]);
    assert.deepEqual(await images.facts("a", 1000), facts);
    assert.equal(asked.length, 1);
    assert.deepEqual(images.knownFacts("a"), facts);
  });
  test("that come late are kept, and somebody is told", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    let late = 0;
    const images = clientImages(
      client(() => promise).connection,
      () => 0,
      () => late++,
    );
    assert.equal(await images.facts("a", 5), undefined);
    assert.equal(images.knownFacts("a"), undefined);
    resolve(facts);
    await sleep(5);
    assert.equal(late, 1);
    assert.deepEqual(images.knownFacts("a"), facts);
  });
  test("that come in time tell nobody", async () => {
    let late = 0;
    const images = clientImages(
      client(async () => facts).connection,
      () => 0,
      () => late++,
    );
    await images.facts("a", 1000);
    assert.equal(late, 0);
  });
  test("of an image that is not there are not asked again", async () => {
    const { connection, asked } = client(async () => null);
    const images = clientImages(
      connection,
      () => 0,
      () => {},
    );
    await images.facts("a", 1000);
    await images.facts("a", 1000);
    assert.equal(asked.length, 1);
    assert.equal(images.knownFacts("a"), null);
  });
  test("a client that fails counts as not knowing, until its store changes", async () => {
    const { connection, asked } = client(() => Promise.reject(new Error("no")));
    const images = clientImages(
      connection,
      () => 0,
      () => {},
    );
    assert.equal(await images.facts("a", 1000), undefined);
    await images.facts("a", 1000);
    assert.equal(asked.length, 1);
    images.forget();
    await images.facts("a", 1000);
    assert.equal(asked.length, 2);
  });
  test("an answer from before the store changed is not kept", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const images = clientImages(
      client(() => promise).connection,
      () => 0,
      () => {},
    );
    const waiting = images.facts("a", 1000);
    images.forget();
    resolve(facts);
    await waiting;
    assert.equal(images.knownFacts("a"), undefined);
  });
});

describe("tags", () => {
  test("are kept for ten minutes", async () => {
    const { connection, asked } = client(async () => ({ tags: ["1"] }));
    let time = 0;
    const images = clientImages(
      connection,
      () => time,
      () => {},
    );
    assert.deepEqual(await images.tags("a", 1000), ["1"]);
    time = 9 * 60_000;
    await images.tags("a", 1000);
    assert.equal(asked.length, 1);
    time = 11 * 60_000;
    await images.tags("a", 1000);
    assert.equal(asked.length, 2);
  });
  test("of a registry that does not answer are none, and asked again", async () => {
    const { connection, asked } = client(() => Promise.reject(new Error("no")));
    const images = clientImages(
      connection,
      () => 0,
      () => {},
    );
    assert.deepEqual(await images.tags("a", 1000), []);
    assert.deepEqual(await images.tags("a", 1000), []);
    assert.equal(asked.length, 2);
  });
  test("that come late come with the next question", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const images = clientImages(
      client(() => promise).connection,
      () => 0,
      () => {},
    );
    assert.deepEqual(await images.tags("a", 5), []);
    resolve({ tags: ["1"] });
    assert.deepEqual(await images.tags("a", 1000), ["1"]);
  });
});

describe("image names", () => {
  for (const [text, registry, repository, tag] of [
    ["nginx", "docker.io", "library/nginx", undefined],
    ["nginx:1", "docker.io", "library/nginx", "1"],
    ["a/b", "docker.io", "a/b", undefined],
    ["localhost/b", "localhost", "b", undefined],
    ["localhost:5000/a/b:x", "localhost:5000", "a/b", "x"],
    ["quay.io/a/b/c:v1.2", "quay.io", "a/b/c", "v1.2"],
    ["[::1]:5000/a", "[::1]:5000", "a", undefined],
  ] as const)
    test(text, () =>
      assert.deepEqual(
        { ...parseImageName(text), digest: undefined },
        { registry, repository, tag, digest: undefined },
      ),
    );
  for (const text of ["scratch", "$A", "UPPER", "a b", "", "a:", ":1"])
    test(`“${text}” is none`, () => assert.equal(parseImageName(text), undefined));
  test("a name as long as a file is read in linear time", () => {
    const started = performance.now();
    parseImageName(`${"a-".repeat(50_000)}!`);
    parseImageName(`${"a".repeat(100_000)}:`);
    assert.ok(performance.now() - started < 1000);
  });
});
