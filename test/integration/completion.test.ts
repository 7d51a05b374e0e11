import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "../support/peers.ts";

/** A folder with a `slipway` to be found, and files to complete. */
async function place(t: TestContext): Promise<{ cwd: string; env: NodeJS.ProcessEnv }> {
  const folder = await createTempDir("slipway-shell");
  t.after(() => folder[Symbol.asyncDispose]());
  const program = join(folder.path, "bin/slipway");
  await mkdir(join(folder.path, "bin"));
  await mkdir(join(folder.path, "iris"));
  await writeFile(join(folder.path, "iron.pem"), "");
  await writeFile(
    program,
    `#!/bin/sh\nexec "${process.execPath}" "${resolve(import.meta.dirname, "../../bin/slipway.js")}" "$@"\n`,
  );
  await chmod(program, 0o755);
  const env = {
    ...process.env,
    HOME: folder.path,
    SLIPWAY_FROM_SOURCE: "1",
    PATH: `${join(folder.path, "bin")}:${process.env["PATH"]}`,
  };
  return { cwd: folder.path, env };
}

const BASH = `source <(slipway completion bash)
COMP_LINE=$1 COMP_POINT=\${#1}
_slipway
printf '%s\\n' "\${COMPREPLY[@]}"`;

const ZSH = `compdef() { :; }
_files() { print -r -- :paths; }
_describe() { print -rl -- "\${(@P)4}"; }
source <(slipway completion zsh)
words=("\${(@s: :)1}")
CURRENT=\${#words}
_slipway`;

const FISH = `slipway completion fish | source
complete -C $argv[1]`;

/** How each shell is asked; the line comes after. */
const SHELLS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  bash: ["bash", "-c", BASH, "bash"],
  zsh: ["zsh", "-f", "-c", ZSH, "zsh"],
  fish: ["fish", "--no-config", "-c", FISH],
};

for (const [shell, command] of Object.entries(SHELLS))
  test(`${shell} completes commands, options, values and paths`, async (t) => {
    if ((await requirePeer(t, shell)) === undefined) return;
    const { cwd, env } = await place(t);
    const words = async (line: string): Promise<readonly string[]> => {
      const { stdout } = await run([...command, line], { cwd, env, timeoutMs: 60_000 });
      return stdout
        .toString("utf8")
        .split("\n")
        .filter((text) => text !== "")
        .map((text) => text.split(/[\t:](?=.* )/)[0] ?? "")
        .sort();
    };
    assert.deepEqual(await words("slipway pu"), ["pull", "push"]);
    assert.deepEqual(await words("slipway run x --engine "), ["docker", "podman"]);
    assert.deepEqual(await words("slipway build --iid"), ["--iidfile"]);
    const paths = await words("slipway pull x --ca-file ir");
    assert.deepEqual(paths, shell === "zsh" ? [":paths"] : paths);
    assert.ok(
      shell === "zsh" || paths.some((path) => path.startsWith("iron.pem")),
      paths.join(" "),
    );
  });
