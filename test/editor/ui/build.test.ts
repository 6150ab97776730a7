import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inWorkbench } from "../support/workbench.ts";

test("a build from the palette ends in a new row, and the marks follow the files", async () => {
  await inWorkbench("build", { file: "Kubefile" }, async (workbench) => {
    const { page, workspace, row, line, picture } = workbench;
    await page.locator(".statusbar-item", { hasText: /0 of \d cached/ }).waitFor();
    await page.locator(".view-overlays, .margin-view-overlays").first().waitFor();
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

    await line("COPY").filter({ hasText: "cached" }).waitFor();
    await page.locator(".statusbar-item", { hasText: /(\d) of \1 cached/ }).waitFor();
    writeFileSync(path.join(workspace.dir, "config/settings.yaml"), "currency: CNY\n");
    await line("COPY")
      .filter({ hasText: /will be built:.*settings\.yaml/ })
      .waitFor();
    await picture("after-edit");
  });
});
