import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { TestContext } from "node:test";
import type { ModelFile } from "../../../src/models/kinds/index.ts";

/** All files of a folder, hidden ones too, as detection takes them. */
export function modelFilesIn(folder: string): readonly ModelFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const location = join(entry.parentPath, entry.name);
      return {
        path: relative(folder, location).replaceAll("\\", "/"),
        location,
        size: statSync(location).size,
      };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Writes files into a folder that lives as long as the test. */
export function modelFolder(
  t: TestContext,
  contents: Readonly<Record<string, string | Uint8Array>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-kinds-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}
