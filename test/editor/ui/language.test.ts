import { test } from "node:test";
import { inWorkbench } from "../support/workbench.ts";

test("mistakes are underlined and explained where they stand", async () => {
  await inWorkbench("diagnostics", { file: "broken/Kubefile" }, async ({ page, picture }) => {
    const squiggle = page.locator(".monaco-editor .squiggly-error").first();
    await squiggle.waitFor();
    // The line lies under the text, which takes the pointer.
    await squiggle.hover({ force: true });
    await page.locator(".monaco-hover", { hasText: "COPY" }).first().waitFor();
    await picture("diagnostics");
  });
});

test("typing offers instructions, and declared applications after LAUNCH", async () => {
  await inWorkbench("completion", { file: "Kubefile" }, async ({ page, line, picture }) => {
    await line("LAUNCH").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("\nAPPE");
    const suggestions = page.locator(".suggest-widget .monaco-list-row");
    await suggestions.filter({ hasText: "APPENV" }).first().waitFor();
    await picture("completion");
    await page.keyboard.press("Escape");
    for (let key = 0; key < 4; key++) await page.keyboard.press("Backspace");
    await page.keyboard.type("APPENV ");
    await page.keyboard.press("Control+Space");
    await suggestions.filter({ hasText: "shop" }).first().waitFor();
  });
});
