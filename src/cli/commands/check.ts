import { checkImage, checkMachine, verifyImage } from "../../app/index.ts";
import type { Run } from "../cli.ts";
import { reportChecks } from "../render/checks.ts";
import { formatBytes, formatDuration } from "../render/format.ts";

/** `slipway doctor`. */
export const doctor: Run<"doctor"> = async ({ image, registry }, { session, reporter }) => {
  if (image === undefined)
    return reportChecks(await checkMachine(registry, session), "this machine", reporter);
  reportChecks(await checkImage(image, session), `"${image}"`, reporter);
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
