import assert from "node:assert/strict";
import { test } from "node:test";
import { entryEdit } from "../../client/containerImages/lockEdits.ts";
import { namedInFile, packedNames, withPlaces } from "../../client/containerImages/places.ts";
import { problemsOf } from "../../client/containerImages/problems.ts";
import { type ScanState, Scans } from "../../client/containerImages/scans.ts";
import { hoverText, lineTitle, summaryOf } from "../../client/containerImages/wording.ts";
import { parseLock } from "../../engine/discover/lock.ts";
import type { DiscoveredImage, DiscoverResult, ImagePlace } from "../../engine/protocol.ts";

const english = (sentence: string, ...values: readonly (string | number)[]): string =>
  sentence.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)]));
const digest = `sha256:${"ab".repeat(32)}`;

const nginx: DiscoveredImage = {
  ...{ image: "docker.io/library/nginx:1", isPacked: true, cached: true, inBase: false, sizeBytes: 67_000_000 },
  locked: { digest, line: 4, optional: false },
};
const redis: DiscoveredImage = { ...nginx, image: "docker.io/library/redis:7", cached: false, sizeBytes: 40_000_000 };
const place: ImagePlace = {
  ...{ image: nginx.image, text: "nginx:1", confidence: "certain", rule: "Deployment container" },
  ...{ file: "shop.yaml", line: 8, foundIn: "shop.yaml", path: "spec", packed: "yes" },
};
const result: DiscoverResult = {
  ...{ contextDir: "/c", kubefile: "/c/Kubefile", images: [nginx, redis], places: [place], unresolved: [] },
  ...{ instructions: [], scanned: 0, durationMs: 1 },
  lock: { path: "/c/kubefile.lock", exists: true, problems: [], unneeded: [] },
};

test("several images are summed up: how many, their size, and how many need no network", () => {
  assert.equal(summaryOf([nginx, { ...redis, cached: true }], english), "2 images · 107 MB · all cached");
  assert.equal(summaryOf([nginx, redis], english), "2 images · 107 MB · 1 of 2 cached");
  const { sizeBytes: _, ...unknown } = redis;
  assert.equal(summaryOf([nginx, unknown], english), "2 images · 1 of 2 cached", "no sum with a part unknown");
  assert.equal(summaryOf([], english), "no container images");
  assert.match(summaryOf([nginx, { ...redis, problem: "notLocked" }], english), /1 not in kubefile\.lock$/);
});

test("a line with one image tells its state, and why it is left out when it is", () => {
  assert.equal(lineTitle([{ image: nginx, places: [place] }], english), "nginx:1 · 67.0 MB · cached · locked");
  const left: DiscoveredImage = { ...nginx, isPacked: false };
  assert.match(lineTitle([{ image: left, places: [{ ...place, packed: "no" }] }], english), /no instruction brings/);
  assert.match(lineTitle([{ image: left, places: [{ ...place, confidence: "declared" }] }], english), /may use it/);
  const ignored: DiscoveredImage = { ...left, ignored: { pattern: "*", reason: "only tests", line: 1 } };
  assert.match(lineTitle([{ image: ignored, places: [place] }], english), /only tests/);
  assert.match(lineTitle([{ image: { ...nginx, inBase: true }, places: [place] }], english), /in the base image/);
});

test("the hover gives every reason, and no name is read as Markdown", () => {
  const text = hoverText(
    [{ image: { ...nginx, digest }, places: [place, { ...place, rule: "env A_*B", values: "values-prod.yaml" }] }],
    english,
  );
  assert.match(text, /Deployment container/);
  assert.match(text, /env A\\_\\\*B · shop\.yaml with values-prod\.yaml/);
  assert.match(text, new RegExp(digest));
  assert.match(text, /Locked to abababababab/);
});

test("lines of a file come in order, each image once with its places", () => {
  const twice = { ...result, places: [{ ...place, line: 9 }, place, { ...place, values: "values-prod.yaml" }] };
  const lines = namedInFile(twice, "shop.yaml");
  assert.deepEqual(
    lines.map(({ line, images }) => [line, images.length, images[0]?.places.length]),
    [
      [8, 1, 2],
      [9, 1, 1],
    ],
  );
  assert.deepEqual(packedNames(result), [nginx.image, redis.image]);
  assert.deepEqual(
    withPlaces(result, [redis.image]).map(({ places }) => places),
    [[]],
  );
});

test("an image that the lock lacks is a warning at each line that names it, where the image gets the file", () => {
  const missing: DiscoverResult = {
    ...result,
    images: [{ ...nginx, problem: "notLocked" }],
    places: [place, { ...place, path: "other" }, { ...place, line: 12 }, { ...place, file: "docs.yaml", packed: "no" }],
  };
  const found = problemsOf(missing, english);
  assert.deepEqual(
    found.map(({ file, line, severity, image }) => [file, line, severity, image]),
    [
      ["shop.yaml", 8, "warning", nginx.image],
      ["shop.yaml", 12, "warning", nginx.image],
    ],
  );
});

test("a moved image informs, a chart that cannot be rendered is an error, the lock's own mistakes stand in it", () => {
  const unresolved = {
    text: "web",
    reason: "no",
    rule: "chart",
    file: "web/Chart.yaml",
    line: 1,
    packed: "yes",
  } as const;
  const found = problemsOf(
    {
      ...result,
      images: [{ ...nginx, problem: "moved" }],
      unresolved: [
        { ...unresolved, stopsBuild: true },
        { ...unresolved, packed: "no", stopsBuild: false },
        { ...unresolved, rule: "Pod container", text: "auto", stopsBuild: false },
      ],
      lock: { ...result.lock, problems: [{ line: 2, message: "Bad." }], unneeded: [{ image: "gone:1", line: 3 }] },
    },
    english,
  );
  assert.deepEqual(
    found.map(({ code, severity, file, line }) => [code, severity, file, line]),
    [
      ["moved", "information", "shop.yaml", 8],
      ["unresolved", "error", "web/Chart.yaml", 1],
      ["unresolved", "warning", "web/Chart.yaml", 1],
      ["lock", "error", "/c/kubefile.lock", 2],
      ["unneeded", "hint", "/c/kubefile.lock", 3],
    ],
  );
});

const locks: Readonly<Record<string, string>> = {
  "no lock": "",
  "a lock without the section": "version: 1\nimages: []",
  "an empty section": "version: 1\nimages: []\nignore: []\nadd: # ours\n",
  "a section with entries": `# ours\nversion: 1\nignore: # why\n  - image: a.io/b:1\n    reason: x\nimages: []\n`,
  "entries that are not indented": `version: 1\nignore:\n- image: a.io/b:1\n  reason: x\nimages: []\n`,
  "Windows line ends": "version: 1\r\nignore:\r\n  - image: a.io/b:1\r\nimages: []\r\n",
};
for (const [name, text] of Object.entries(locks)) {
  test(`an entry is added to ${name}, and everything else stays`, () => {
    for (const section of ["ignore", "add"] as const) {
      const before = parseLock(text === "" ? "version: 1\n" : text);
      const edit = entryEdit(text, section, "docker.io/library/nginx:1", 'for "tests": only');
      const edited = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
      const { lock, problems } = parseLock(edited);
      assert.deepEqual(problems, [], edited);
      assert.equal(lock[section].length, before.lock[section].length + 1);
      const added = lock[section].find(({ image }) => image === "docker.io/library/nginx:1");
      assert.equal(added?.reason, 'for "tests": only');
      for (const comment of text.match(/#.*/g) ?? []) assert.ok(edited.includes(comment), comment);
    }
  });
}

test("a change while a question is under way cancels it, and only the last answer counts", async () => {
  const asked: string[] = [];
  const shown: (DiscoverResult | undefined)[] = [];
  let cancelled = 0;
  const { promise: firstAsked, resolve } = Promise.withResolvers<void>();
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  using scans = new Scans(
    async (kubefile, token): Promise<ScanState> => {
      asked.push(kubefile);
      if (asked.length > 1) return { result };
      resolve();
      return new Promise((answer) =>
        token.onCancellationRequested(() => {
          cancelled += 1;
          answer({});
        }),
      );
    },
    (_, state) => {
      shown.push(state.result);
      finish();
    },
  );
  scans.schedule("/c/Kubefile", 0);
  await firstAsked;
  scans.schedule("/c/Kubefile", 0);
  await done;
  assert.equal(cancelled, 1);
  assert.deepEqual(shown, [result]);
  assert.equal(scans.of("/c/Kubefile")?.result, result);
});
