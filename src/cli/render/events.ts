import type { AppEvent, ReadyEvent } from "../../app/index.ts";
import { answerLines } from "./answer.ts";
import type { Reporter } from "./reporter.ts";

/** Shows what happens as text or JSON. How a training run gets on is shown by its own command. */
export function createEventPrinter(reporter: Reporter): (event: AppEvent) => void {
  return (event) => {
    switch (event.kind) {
      case "step":
        return reporter.step(event.text);
      case "warning":
        return reporter.warn(event.text);
      case "blob":
        return reporter.blob(event);
      case "output":
        return void process.stderr.write(event.text);
      case "answer":
        for (const line of answerLines(event.answer)) reporter.line(line);
        return;
      case "ready":
        return printReady(event, reporter);
      case "training":
        return;
      default:
        return event satisfies never;
    }
  };
}

function printReady(
  { name, url, example, digest, container, served }: ReadyEvent,
  reporter: Reporter,
): void {
  reporter.line(url === undefined ? `${name} runs` : `ready at ${url}; try`);
  if (example !== undefined) reporter.line(`  ${example}`);
  if (served?.ports.grpc !== undefined)
    reporter.line(`gRPC at ${served.address}:${served.ports.grpc}`);
  if (container?.isDetached === true)
    reporter.line(
      `${container.id}; end it with \`${container.engine} rm --force ${container.id.slice(0, 12)}\``,
    );
  if (served !== undefined) {
    const { model, kind, ports } = served;
    return reporter.result({ url, ports, example, model, kind });
  }
  const { id, engine, ports } = container ?? {};
  reporter.result({ id, engine, ports, url, example, digest });
}
