import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startDockerRegistry } from "../../support/dockerRegistry.ts";
import { skipWithoutProgram } from "../../support/requirement.ts";
import { inWorkbench } from "../support/workbench.ts";

test("files of an image and of a layer are in the view, and open read-only", async () => {
  await inWorkbench("image-files", { file: "Kubefile" }, async ({ page, command, answer, showViews, row, picture }) => {
    await showViews();
    await command("Kubefile: Build Cluster Image...");
    await answer("shop:1.0");
    await page.locator(".notification-toast", { hasText: "Built shop:1.0" }).waitFor();
    // Room for the rows: a list draws only what can be seen.
    for (const pane of ["Build Cache", "Builds"]) await page.locator(".pane-header", { hasText: pane }).last().click();
    await row("1.0").first().click();
    await page.keyboard.press("ArrowRight");
    await row("Files").first().click();
    await page.getByRole("treeitem", { name: "etc, directory" }).click();
    const file = page.getByRole("treeitem", { name: /^settings\.yaml, .* layer 1$/ });
    await file.waitFor();
    await page.getByRole("treeitem", { name: /^Layer 1,/ }).click();
    await page.getByRole("treeitem", { name: "etc, directory" }).first().waitFor();
    await picture("image-files");
    await page
      .getByRole("treeitem", { name: /^settings\.yaml,/ })
      .last()
      .click();
    await page.locator(".tab", { hasText: "settings.yaml" }).waitFor();
    await page.locator(".monaco-editor .view-line", { hasText: "currency" }).first().waitFor();
    await picture("image-file-open");
  });
});

test("a push asks where to, shows how far it is and ends in a sentence with a next action; a pull brings it back", {
  skip: skipWithoutProgram("docker-registry"),
}, async () => {
  await using registry = await startDockerRegistry();
  await inWorkbench("share", { file: "Kubefile" }, async (workbench) => {
    const { page, workspace, command, answer, showViews, row, picture } = workbench;
    writeFileSync(path.join(workspace.dir, "Kubefile"), "FROM scratch\nCOPY config/settings.yaml etc/\n");
    await showViews();
    await command("Kubefile: Build Cluster Image...");
    await answer("shop:1.0");
    await page.locator(".notification-toast", { hasText: "Built shop:1.0" }).waitFor();
    await command("Kubefile: Push Cluster Image...");
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "shop:1.0" }).click();
    // The list's own field is still there for a moment; what is typed into it is lost.
    await page.locator(".quick-input-widget:visible", { hasText: "Where it goes" }).waitFor();
    await answer(`${registry.host}/team/shop:1.0`);
    const pushed = page.locator(".notification-toast", { hasText: `Pushed ${registry.host}/team/shop:1.0` });
    await pushed.waitFor();
    await pushed.locator(".monaco-button", { hasText: "Copy Digest" }).waitFor();
    await picture("pushed");
    await command("Kubefile: Pull Cluster Image...");
    await answer(`${registry.host}/team/shop:1.0`);
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "This machine's platform" }).click();
    await page.locator(".notification-toast", { hasText: `Pulled ${registry.host}/team/shop:1.0` }).waitFor();
    await row(`${registry.host}/team/shop`).first().waitFor();
    await picture("pulled");
  });
});
