import { ToolError } from "../../ground/errors/index.ts";
import { COMMANDS, type CommandName } from "../commands.ts";
import type { Need } from "../options/option.ts";
import type { Places } from "../session.ts";
import type { DoctorWords } from "./check-commands.ts";
import { checkImage } from "./check-image.ts";
import { askVersion, checkFolders, checkMachine, nodeCheck } from "./check-machine.ts";
import { checkFolder, isProject } from "./check-folder.ts";
import type { Check } from "./checks.ts";

/**
 * Checks this machine, what a command needs of it, or an image.
 * @returns the checks, and of what they are.
 * @throws ToolError `USAGE` for words that are neither.
 */
export async function doctor(
  { subject, registry }: DoctorWords,
  session: Places,
): Promise<{ readonly checks: readonly Check[]; readonly about: string }> {
  const [image, ...more] = subject;
  if (image === undefined)
    return { checks: await checkMachine(registry, session), about: "this machine" };
  const words = subject.join(" ");
  const command = (Object.keys(COMMANDS) as CommandName[]).find((name) => name === words);
  if (command !== undefined)
    return { checks: await checkCommand(command, session), about: `slipway ${words}` };
  if (more.length === 0 && (await isProject(image, session)))
    return { checks: await checkFolder(image, session), about: `the folder "${image}"` };
  if (more.length === 0) return { checks: await checkImage(image, session), about: `"${image}"` };
  throw new ToolError("USAGE", `doctor: there is no command "${words}"`, {
    hint: "name one command or one image",
  });
}

/** Says whether this machine has what a command needs, and the commands below it. */
async function checkCommand(name: CommandName, session: Places): Promise<readonly Check[]> {
  const names = (Object.keys(COMMANDS) as CommandName[]).filter(
    (other) => other === name || other.startsWith(`${name} `),
  );
  const specs = await Promise.all(names.map((one) => COMMANDS[one].load()));
  // Commands below one often need the same.
  const needs = new Map(
    specs
      .flatMap((spec) => spec.needs ?? [])
      .map((need) => [`${need.programs.join(" ")}: ${need.what}`, need]),
  );
  const [folders, ...programs] = await Promise.all([
    checkFolders(session),
    ...[...needs.values()].map((need) => checkNeed(need, session)),
  ]);
  return [nodeCheck(process.versions.node), ...programs, ...folders];
}

/** Whether one of the programs that a command needs is there. */
export async function checkNeed(
  { programs, what, isRequired = false }: Need,
  { signal }: Places,
): Promise<Check> {
  const name = programs.join(" or ");
  for (const program of programs) {
    const { isThere, version } = await askVersion(program, signal);
    if (isThere) return { name, status: "ok", detail: version === "" ? program : version };
  }
  const detail = "not installed";
  return isRequired
    ? { name, status: "fail", detail, hint: `install it: it ${what}`, code: "TOOL_MISSING" }
    : { name, status: "warn", detail, hint: what };
}
