import { parentPort, type MessagePort } from "node:worker_threads";
import { CODECS, postError } from "../../protocols/index.ts";
import { packed, type ToCodecThread, type FromCodecThread } from "./codec-messages.ts";

/** Answers one message after the other. */
function main(port: MessagePort): void {
  port.on("message", ({ name, input }: ToCodecThread) => {
    const { message, transfer } = packed(answerOf(name, input), "given");
    port.postMessage(message, transfer);
  });
}

function answerOf(name: ToCodecThread["name"], input: unknown): FromCodecThread {
  try {
    return { value: (CODECS[name] as (input: unknown) => unknown)(input) }; // the pool sends what belongs to the name
  } catch (error) {
    return { error: postError(error) };
  }
}

if (parentPort !== null) main(parentPort); // only threads have one
