import assert from "node:assert/strict";
import { test } from "node:test";
import { inWorkbench } from "../support/workbench.ts";

test("in Restricted Mode the language works and nothing is built", async () => {
  await inWorkbench(
    "restricted",
    { file: "broken/Kubefile", workspaceTrust: true },
    async ({ page, showViews, picture }) => {
      await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
      await page.locator(".monaco-editor .squiggly-error").first().waitFor();
      await showViews();
      await page.locator(".welcome-view-content", { hasText: "not trusted" }).first().waitFor();
      await page.locator(".codelens-decoration a", { hasText: "Build" }).click();
      await page.locator(".notification-toast", { hasText: "does not build" }).waitFor();
      await page.keyboard.press("F1");
      await page.locator(".quick-input-widget input").fill(">Kubefile: ");
      const commands = page.locator(".quick-input-list .monaco-list-row");
      await commands.filter({ hasText: "Kubefile: New Kubefile" }).waitFor();
      for (const hidden of [
        "Build Cluster Image",
        "Pull Cluster Image",
        "Push Cluster Image",
        "Load Cluster",
        "Log In",
      ])
        assert.equal(await commands.filter({ hasText: `Kubefile: ${hidden}` }).count(), 0, hidden);
      await picture("restricted");
    },
  );
});
