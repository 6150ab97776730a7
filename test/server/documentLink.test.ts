import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { documentLinks } from "../../server/features/documentLink.ts";
import { crlf, open, textOf } from "./fixture.ts";

/** `text of the link → target` of each link. */
function links(text: string, ...expected: readonly (readonly [string, string])[]): void {
  for (const variant of [text, crlf(text)]) {
    const document = open(variant);
    assert.deepEqual(
      documentLinks(document).map((link) => [textOf(document, link.range), link.target]),
      expected,
    );
  }
}

describe("links of images", () => {
  for (const [image, target] of [
    ["alpine", "https://hub.docker.com/_/alpine"],
    ["alpine:3.20", "https://hub.docker.com/_/alpine"],
    [`alpine@sha256:${"0".repeat(64)}`, "https://hub.docker.com/_/alpine"],
    ["library/alpine", "https://hub.docker.com/_/alpine"],
    ["sealerio/kubernetes:v1-22-15", "https://hub.docker.com/r/sealerio/kubernetes"],
    ["docker.io/sealerio/kubernetes", "https://hub.docker.com/r/sealerio/kubernetes"],
    ["quay.io/prometheus/node-exporter:v1", "https://quay.io/repository/prometheus/node-exporter"],
    ["ghcr.io/owner/pack/age:1", "https://github.com/owner?tab=packages&q=pack%2Fage"],
    ["mcr.microsoft.com/dotnet/sdk:8.0", "https://mcr.microsoft.com/artifact/mar/dotnet/sdk/tag/8.0"],
    ["public.ecr.aws/nginx/nginx:1", "https://gallery.ecr.aws/nginx/nginx"],
    ["registry.k8s.io/pause:3.9", "https://explore.ggcr.dev/?image=registry.k8s.io/pause:3.9"],
  ] as const)
    test(image, () => links(`FROM ${image}`, [image, target]));
  for (const image of ["scratch", "$BASE", "registry.example.org/a/b:1", "localhost:5000/a", "BAD", "10.0.0.1:5000/x"])
    test(`${image} has none`, () => links(`FROM ${image}`));
  test("a stage is no image", () =>
    links("FROM alpine AS base\nFROM base\nCOPY --from=base a? b", ["alpine", "https://hub.docker.com/_/alpine"]));
  test("COPY --from an image", () => links("COPY --from=nginx:1 a? b", ["nginx:1", "https://hub.docker.com/_/nginx"]));
  test("with a platform and a name", () =>
    links("FROM --platform=linux/amd64 alpine AS x", ["alpine", "https://hub.docker.com/_/alpine"]));
});

describe("links of files", () => {
  test("sources of COPY", () =>
    links("COPY a.yaml dir/b /x/", ["a.yaml", "file:///work/app/a.yaml"], ["dir/b", "file:///work/app/dir/b"]));
  test("an array", () => links('COPY ["a b.yaml", "/x/"]', ["a b.yaml", "file:///work/app/a%20b.yaml"]));
  test("sources of applications, the scheme included", () =>
    links("APP nginx local://charts/nginx", ["local://charts/nginx", "file:///work/app/charts/nginx"]));
  test("a leading slash means the build context", () => links("COPY /a /x/", ["/a", "file:///work/app/a"]));
  test("not for patterns, variables, and what leaves the context", () => links("COPY *.yaml $A ../b [x] /x/"));
  test("not for what another stage has", () => links("FROM scratch AS s\nCOPY --from=s a b"));
  test("not for heredocs", () => links("COPY <<EOF /x\na\nEOF"));
  test("URLs of ADD and APP", () =>
    links(
      "ADD https://example.org/a.tgz /x\nAPP b https://example.org/b.yaml",
      ["https://example.org/a.tgz", "https://example.org/a.tgz"],
      ["https://example.org/b.yaml", "https://example.org/b.yaml"],
    ));
  test("not for unfinished URLs", () => links("ADD https:// /x"));
});
