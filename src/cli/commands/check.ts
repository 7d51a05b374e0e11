import { doctor, verifyImage } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { reportChecks } from "../render/checks.ts";
import { formatBytes, formatDuration } from "../render/format.ts";

/** `slipway doctor`. */
export const runDoctor: Run<"doctor"> = async (words, { session, reporter }) => {
  const { checks, about } = await doctor(words, session);
  reportChecks(checks, about, reporter);
};

/** `slipway verify`. */
export const verify: Run<"verify"> = async (request, { session, reporter }) => {
  const { name, isShallow = false } = request;
  const { images, layers, bytesRead, digest, tookMs } = await verifyImage(request, session);
  const what = `${count(images.length, "image")}, ${count(layers, "layer")}, ${formatBytes(bytesRead)} in ${formatDuration(tookMs)}`;
  reporter.line(isShallow ? `the documents are whole: ${what}` : `every digest is right: ${what}`);
  reporter.line(`${name} ${digest}`);
  reporter.result({
    name,
    digest,
    images,
    bytesRead,
    isShallow,
    seconds: Math.round(tookMs) / 1000,
  });
};

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
