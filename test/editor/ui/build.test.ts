import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { showsNothingAfterLine } from "../support/endOfLine.ts";
import { inWorkbench } from "../support/workbench.ts";

test("a build from the palette ends in a new row, and the marks follow the files", async () => {
  await inWorkbench("build", { file: "Kubefile" }, async (workbench) => {
    const { page, workspace, row, endOfLine, picture } = workbench;
    await page.locator(".statusbar-item", { hasText: /0 of \d cached/ }).waitFor();
    await picture("before-build");

    await workbench.showViews();
    await page.locator(".welcome-view-content", { hasText: "no cluster image" }).waitFor();
    await workbench.command("Kubefile: Build Cluster Image...");
    await workbench.answer("shop:1.0");
    await page.locator(".notification-toast", { hasText: "Built shop:1.0" }).waitFor();
    await row("shop").first().waitFor();
    await row("1.0").first().click();
    await page.keyboard.press("ArrowRight");
    await row("Layers").waitFor();
    await row("COPY config/settings.yaml").first().waitFor();
    await picture("after-build");

    await endOfLine("COPY", "cached");
    await page.locator(".statusbar-item", { hasText: /(\d) of \1 cached/ }).waitFor();
    writeFileSync(path.join(workspace.dir, "config/settings.yaml"), "currency: CNY\n");
    await endOfLine("COPY", "settings.yaml");
    await picture("after-edit");

    await workbench.command("Kubefile: Explain Cache Status");
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "COPY will be built" }).waitFor();
    await picture("explain");
    await page.keyboard.press("Escape");
  });
});

test("the marks are told apart in dark, light and both high-contrast themes", async () => {
  await inWorkbench("themes", { file: "Kubefile" }, async ({ page, command, answer, endOfLine, settings, picture }) => {
    await command("Kubefile: Build Cluster Image...");
    await answer("shop:1.0");
    await endOfLine("COPY", "cached");
    await page.locator(".monaco-editor .glyph-margin-widgets .cgmr").first().waitFor();
    const themes = [
      ["light", "Light Modern", ".vs"],
      ["high-contrast", "Default High Contrast", ".hc-black"],
      ["high-contrast-light", "Default High Contrast Light", ".hc-light"],
      ["dark", "Dark Modern", ".vs-dark"],
    ] as const;
    for (const [name, theme, className] of themes) {
      settings({ "workbench.colorTheme": theme });
      await page.locator(`.monaco-workbench${className}`).waitFor();
      await endOfLine("COPY", "cached");
      await picture(`theme-${name}`);
    }
  });
});

test("the setting for the cache status takes the text away, and the marks too", async () => {
  await inWorkbench("levels", { file: "Kubefile" }, async ({ page, endOfLine, settings }) => {
    const marks = page.locator(".monaco-editor .glyph-margin-widgets .cgmr");
    await endOfLine("COPY", "will be built");
    await marks.first().waitFor();
    settings({ "kubefile.cacheStatus": "minimal" });
    await page.waitForFunction(showsNothingAfterLine, "COPY");
    await marks.first().waitFor();
    settings({ "kubefile.cacheStatus": "off" });
    await marks.first().waitFor({ state: "detached" });
  });
});
