import { chromium, type Browser } from "playwright-core";
import type { TestContext } from "node:test";
import { requirePeer } from "../peers.ts";

/** The system's own Chromium without a window; undefined when the test was skipped. */
export async function startBrowser(t: TestContext): Promise<Browser | undefined> {
  const executablePath = await requirePeer(t, "chromium");
  if (executablePath === undefined) return undefined;
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  t.after(() => browser.close());
  return browser;
}
