import { runExporter } from "./run-exporter.ts";

if (import.meta.main) {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => controller.abort());
  process.exitCode = await runExporter({
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    print: (text) => void process.stdout.write(text),
    signal: controller.signal,
  });
}
