import { COMMANDS } from "../app/index.ts";
import { commandNames } from "./command-names.ts";

/** What `slipway --help` prints. The build keeps it as a file, so that the usual question costs no command's module. */
export function overview(): string {
  const names = commandNames().filter((name) => !name.includes(" "));
  const groups = Map.groupBy(names, (name) => COMMANDS[name].group);
  const width = Math.max(...names.map((name) => name.length));
  const body = [...groups].flatMap(([group, members]) => [
    ``,
    `${group}:`,
    ...members.map((name) => `  ${name.padEnd(width + 2)}${COMMANDS[name].summary}`),
  ]);
  return [
    "slipway packs a trained model into an image without a Docker daemon, pushes it, and serves it.",
    "",
    "Usage: slipway COMMAND [OPTIONS]",
    ...body,
    "",
    "Example:",
    "  slipway base debian --include python3 --name pybase",
    "  slipway pack ./iris --base store:pybase -t localhost:5000/iris:v1 --push",
    "",
    "`slipway COMMAND --help` tells more about each.",
    "",
  ].join("\n");
}
