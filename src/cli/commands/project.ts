import { buildDockerfile, initProject, writeOldTools } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { readInput } from "../prompt.ts";
import { reportImages } from "../render/images.ts";

/** `slipway init`. */
export const init: Run<"init"> = async (request, { session, reporter }) => {
  const { path, text } = await initProject(request, session);
  reporter.line(`wrote ${path}`);
  reporter.result({ path, text });
};

/** `slipway old-tools`. */
export const oldTools: Run<"old-tools"> = async (request, { session, reporter }) => {
  const command = [process.execPath, process.argv[1] ?? ""];
  const { files } = await writeOldTools({ command, ...request }, session);
  for (const path of files) reporter.line(`wrote ${path}`);
  reporter.result({ files });
};

/** `slipway build`. */
export const build: Run<"build"> = async ({ folder, ...request }, { session, reporter }) => {
  const text = request.file === "-" ? await readInput(session) : undefined;
  reportImages(reporter, await buildDockerfile(folder, { ...request, text }, session));
};
