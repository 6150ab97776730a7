import path from "node:path";
import { test } from "node:test";
import { quietFollower } from "../../../engine/commands/quietFollower.ts";
import { openEngine } from "../../../engine/engine.ts";
import { startRegistry } from "../../support/registryServer.ts";
import { publishTinyImage } from "../../support/tinyImages.ts";
import { inWorkbench } from "../support/workbench.ts";
import type { EditorWorkspace } from "../support/workspace.ts";

test("container images are told about on lines that name them, and in the tree with what asked for them", async () => {
  await inWorkbench("container-images", { file: "site/Kubefile" }, async (workbench) => {
    const { page, workspace, row, line, picture } = workbench;
    const lens = page.locator(".codelens-decoration");
    await lens.filter({ hasText: "2 images · 0 of 2 cached · 1 not in kubefile.lock" }).waitFor();
    await buildSite(workspace);
    await lens.filter({ hasText: /2 images · .* · all cached/ }).waitFor();
    await picture("container-images-kubefile");

    await line("APP shop").locator("span", { hasText: "manifests" }).last().hover();
    await page.locator(".monaco-hover", { hasText: "Deployment container" }).first().waitFor();
    await picture("container-images-hover");
    await page.keyboard.press("Escape");

    await lens.locator("a", { hasText: "2 images" }).click();
    const redis = page.locator(".quick-input-list .monaco-list-row", { hasText: "redis:7.2" });
    await redis.waitFor();
    await picture("container-images-list");
    await redis.click();
    await page.locator(".tab.active", { hasText: "cart.yaml" }).waitFor();
    await lens.filter({ hasText: "redis:7.2" }).waitFor();
    await page.locator(".monaco-editor .squiggly-warning").first().waitFor();
    await line("redis:7.2").locator("span", { hasText: "redis" }).last().hover();
    await page.locator(".monaco-hover", { hasText: "is not in kubefile.lock" }).first().waitFor();
    await picture("container-images-manifest");
    await page.keyboard.press("Escape");

    await workbench.showViews();
    await row("site").first().waitFor();
    await row("1.0").first().click();
    await page.keyboard.press("ArrowRight");
    await row(/Container Images/)
      .first()
      .click();
    await page.keyboard.press("ArrowRight");
    await row("httpd:2.4").first().hover();
    await page.locator(".workbench-hover, .monaco-hover", { hasText: "Asked for by" }).first().waitFor();
    await picture("container-images-tree");
  });
});

/** Builds the fixture with its images, from a registry on this machine in place of docker.io. */
async function buildSite({ dir, storeDir }: EditorWorkspace): Promise<void> {
  await using registry = await startRegistry();
  const { host } = new URL(registry.url);
  for (const [name, tag] of [
    ["nginx", "1.27"],
    ["redis", "7.2"],
    ["httpd", "2.4"],
  ] as const)
    await publishTinyImage(host, `library/${name}`, tag);
  const world = { environment: {}, homeDir: dir };
  await using engine = openEngine({ storeDir, fetch, now: Date.now, log: () => undefined, world });
  await engine.build(
    {
      buildId: "site",
      contextDir: path.join(dir, "site"),
      tags: ["site:1.0"],
      buildMode: "all",
      containerImages: { mirrors: { "docker.io": host }, ignoreLockedDigests: true },
    },
    quietFollower(() => undefined),
    AbortSignal.timeout(60_000),
  );
}
