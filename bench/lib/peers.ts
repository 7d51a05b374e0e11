import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";

/** Debian's docker-registry on a free port of the loopback, its storage below `folder`. */
export async function startDockerRegistry(
  folder: string,
): Promise<{ readonly host: string; stop(): void }> {
  const port = await freePort();
  const data = join(folder, "registry");
  mkdirSync(data, { recursive: true });
  const config = join(folder, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: ${data} }, delete: { enabled: true } }\nhttp: { addr: 127.0.0.1:${port} }\n`,
  );
  const child: ChildProcess = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  const host = `127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (
      await fetch(`http://${host}/v2/`).then(
        (response) => response.ok,
        () => false,
      )
    )
      return { host, stop: () => void child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("docker-registry does not answer");
}

/** True when a program can be run. */
export function isThere(program: string, args: readonly string[] = ["--version"]): boolean {
  return spawnSync(program, [...args], { stdio: "ignore", timeout: 20_000 }).status === 0;
}
