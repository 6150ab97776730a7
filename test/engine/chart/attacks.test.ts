/** Charts nobody should trust: what they try, and where it ends. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { pack } from "tar-stream";
import { ArchiveError, unpackChart } from "../../../engine/chart/archive.ts";
import { readChart } from "../../../engine/chart/chart.ts";
import { chartFiles, loadChart } from "../../../engine/chart/load.ts";
import { type RenderOptions, renderChart } from "../../../engine/chart/render.ts";
import { isEngineError } from "../../../engine/errors.ts";
import { renderOptions, renderText } from "../../support/charts.ts";

const signal = new AbortController().signal;

function chartOf(template: string, more: Readonly<Record<string, string>> = {}): ReturnType<typeof readChart> {
  const files = { "Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", "templates/a.yaml": template, ...more };
  return readChart(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
}

const tight: Partial<RenderOptions> = { limits: { timeMs: 300, outputLength: 1_000_000 } };

describe("a chart that wants too much is stopped", () => {
  const greedy: Readonly<Record<string, string>> = {
    "a long range": "{{ range until 1000000 }}{{ range until 1000000 }}x{{ end }}{{ end }}",
    "a range over an integer": "{{ range 9000000000000 }}{{ end }}",
    "a huge repeat": '{{ repeat 1000000000 "x" }}',
    "doubling text": '{{ $s := "x" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}{{ len $s }}',
    "doubling by replace": '{{ $s := "xx" }}{{ range until 60 }}{{ $s = replace "x" "xx" $s }}{{ end }}',
    "doubling lists": "{{ $l := list 1 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}",
    "a huge indent": '{{ indent 2000000000 "a" }}',
    "indent of many lines": '{{ indent 1000 (repeat 100000 "\\n") }}',
    "a huge list": "{{ until 2000000000 }}",
    "a huge seq": "{{ seq 1 1 2000000000 }}",
    "random text": "{{ randAlphaNum 2000000000 }}",
    "random bytes": "{{ randBytes 2000000000 }}",
    "a wide printf": '{{ range until 100000 }}{{ printf "%999999d" 1 }}{{ end }}',
    "join of many": '{{ join (repeat 10000 "x") (until 10000) }}',
    "backtracking patterns": `{{ range until 100000 }}{{ regexMatch "^(a+)+$" "${"a".repeat(40)}b" }}{{ end }}`,
    "quadratic patterns": '{{ regexFindAll "(x+x+)+y" (repeat 200000 "x") -1 }}',
    "splits of everything": '{{ range until 1000 }}{{ $_ := regexSplit "" (repeat 100000 "ab") -1 }}{{ end }}',
    "templates that call each other":
      '{{ define "a" }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
    "endless includes": '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
    "endless tpl":
      '{{ tpl "{{ tpl . . }}" "{{ tpl . . }}" }}{{ define "t" }}{{ tpl .t . }}{{ end }}{{ include "t" (dict "t" "{{ include \\"t\\" . }}") }}',
    "a map that holds itself": '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}',
    "JSON of a map that holds itself":
      '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toJson $d }}{{ toYaml $d }}{{ toToml $d }}{{ deepCopy $d }}',
    "merging a map with itself":
      '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $e := dict "d" (dict) }}{{ merge $e $d }}{{ deepEqual $d $e }}',
  };
  for (const [name, template] of Object.entries(greedy)) {
    test(name, async () => {
      const startedAt = performance.now();
      await assert.rejects(
        renderChart(chartOf(template), renderOptions(tight)),
        (error) => isEngineError(error, "CHART_LIMIT_REACHED") || isEngineError(error, "CHART_RENDER_FAILED"),
      );
      assert.ok(performance.now() - startedAt < 5000, "it took too long to notice");
    });
  }

  test("cancelling ends a render", async () => {
    const controller = new AbortController();
    const running = renderChart(
      chartOf("{{ range until 300 }}{{ range until 1000 }}x{{ end }}{{ end }}", {
        ...Object.fromEntries(
          Array.from({ length: 200 }, (_, i) => [`templates/t${i}.yaml`, "{{ range until 30000 }}{{ end }}"]),
        ),
      }),
      renderOptions({ signal: controller.signal }),
    );
    setTimeout(() => controller.abort(), 30);
    await assert.rejects(running, (error) => isEngineError(error, "CANCELLED"));
  });
});

describe("nothing outside the chart is read", () => {
  test("a link that leads out of the folder is refused", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "chart-"));
    try {
      writeFileSync(path.join(dir, "secret"), "outside");
      mkdirSync(path.join(dir, "chart"));
      writeFileSync(path.join(dir, "chart/Chart.yaml"), "apiVersion: v2\nname: c\nversion: 1.0.0\n");
      symlinkSync("../secret", path.join(dir, "chart/stolen"));
      await assert.rejects(loadChart(path.join(dir, "chart"), signal), (error) =>
        isEngineError(error, "PATH_ESCAPES_ROOT"),
      );
      rmSync(path.join(dir, "chart/stolen"));
      symlinkSync("..", path.join(dir, "chart/loop"));
      await assert.rejects(loadChart(path.join(dir, "chart"), signal), (error) =>
        isEngineError(error, "PATH_ESCAPES_ROOT"),
      );
      rmSync(path.join(dir, "chart/loop"));
      symlinkSync("Chart.yaml", path.join(dir, "chart/inner"));
      const files = await chartFiles(path.join(dir, "chart"), signal);
      assert.deepEqual([...files.keys()], ["Chart.yaml", "inner"]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test("templates see no file of the machine, no environment and no network", async () => {
    const text = await renderText(
      chartOf(
        'a: {{ .Files.Get "/etc/passwd" | quote }}\nb: {{ .Files.Get "../../etc/passwd" | quote }}\nc: {{ getHostByName "example.com" | quote }}\n',
      ),
    );
    assert.match(text, /a: ""\nb: ""\nc: ""/);
    for (const name of ["env", "expandenv"]) {
      await assert.rejects(renderText(chartOf(`{{ ${name} "HOME" }}`)), (error) =>
        isEngineError(error, "CHART_RENDER_FAILED"),
      );
    }
  });

  test("a missing chart and a file that is no chart say so", async () => {
    await assert.rejects(loadChart("/nonexistent/chart", signal), (error) => isEngineError(error, "CHART_INVALID"));
    await assert.rejects(loadChart(import.meta.filename, signal), (error) => isEngineError(error, "CHART_INVALID"));
  });

  const hostile = ["c/../../x", "c//etc/passwd", "Chart.yaml", "c", "c/C:/x", "c\\..\\..\\x"];
  for (const name of hostile) {
    test(`a packed chart with the entry ${JSON.stringify(name)} is refused`, async () => {
      const archive = await packed({ "c/Chart.yaml": "x", [name]: "x" });
      assert.throws(() => unpackChart(archive), ArchiveError);
    });
  }
});

async function packed(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return gzipSync(Buffer.concat(chunks));
}

test("a packed chart has the files of its folder", async () => {
  const long = `c/files/${"n".repeat(150)}/${"m".repeat(90)}.txt`;
  const files = unpackChart(await packed({ "c/Chart.yaml": "\uFEFFname: c", "c/templates/a.yaml": "x", [long]: "y" }));
  assert.deepEqual([...files.keys()], ["Chart.yaml", "templates/a.yaml", long.slice(2)]);
  assert.equal(Buffer.from(files.get("Chart.yaml") ?? []).toString(), "name: c");
});

test("keys of values named after parts of JavaScript are keys like any other", async () => {
  const values = "__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 2}}\ntoString: 3\n";
  const template =
    'a: {{ .Values | toJson }}\nb: {{ merge (dict) .Values.__proto__ | toJson }}\nc: {{ fromJson "{\\"__proto__\\": {\\"x\\": 1}}" | toJson }}\nd: {{ hasKey .Values "hasOwnProperty" }}\n';
  const text = await renderText(chartOf(template, { "values.yaml": values }));
  assert.match(text, /a: \{"__proto__":\{"polluted":1\},"constructor":\{"prototype":\{"polluted":2\}\},"toString":3/);
  assert.match(text, /c: \{"__proto__":\{"x":1\}\}\nd: false/);
  assert.equal(Reflect.get({}, "polluted"), undefined);
});

test("whatever stands in a template, a render ends with documents or a typed error", async () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "{{",
      "}}",
      "{{-",
      "-}}",
      "end",
      "if",
      "range",
      "with",
      "define",
      '"x"',
      ".",
      "$",
      "|",
      "(",
      ")",
      ":=",
      "else",
      "nil",
      "printf",
      "index",
      "toYaml",
      "/*",
      "*/",
      ".Values",
      "1",
      "`",
      "'",
      "\\",
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      try {
        await renderChart(chartOf(pieces.join(" ")), renderOptions(tight));
      } catch (error) {
        assert.ok(isEngineError(error), error instanceof Error ? error.stack : String(error));
      }
    }),
    { numRuns: 1500 },
  );
});

test("whatever bytes a chart's files hold, reading it ends with a chart or a typed error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (yaml, values, schema) => {
      const dir = mkdtempSync(path.join(tmpdir(), "chart-"));
      try {
        writeFileSync(path.join(dir, "Chart.yaml"), `apiVersion: v2\nname: c\nversion: 1.0.0\n${yaml}`);
        writeFileSync(path.join(dir, "values.yaml"), values);
        writeFileSync(path.join(dir, "values.schema.json"), schema);
        await renderChart(await loadChart(dir, signal), renderOptions(tight));
      } catch (error) {
        assert.ok(isEngineError(error), error instanceof Error ? error.stack : String(error));
      } finally {
        rmSync(dir, { recursive: true });
      }
    }),
    { numRuns: 150 },
  );
});
