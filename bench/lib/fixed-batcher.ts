import type { InferRequest, InferResponse, Predictor } from "../../src/serving/plane/index.ts";
import { joinRows } from "../../src/serving/plane/index.ts";

/** Asks the model for one request. */
export type Ask = (request: InferRequest) => Promise<unknown>;

/**
 * The batcher that most servers have: a call begins when so many requests of one row each are there, or when the first of them has waited for
 * so long. One call at a time.
 */
export function fixedBatcher(predictor: Predictor, maxRows: number, waitMs: number): Ask {
  let waiting: {
    readonly request: InferRequest;
    readonly done: (answer: InferResponse) => void;
  }[] = [];
  let running = false;
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const go = async (): Promise<void> => {
    if (running || waiting.length === 0 || !(isDue || waiting.length >= maxRows)) return;
    const batch = waiting.slice(0, maxRows);
    waiting = waiting.slice(maxRows);
    running = true;
    clearTimeout(timer);
    isDue = false;
    arm();
    const tensors = batch.flatMap(({ request }) =>
      "bytes" in request.inputs ? [] : request.inputs,
    );
    const answer = await predictor.infer({ inputs: [joinRows(tensors)] });
    running = false;
    for (const { done } of batch) done(answer);
    void go();
  };
  const arm = (): void => {
    if (waiting.length === 0) return;
    timer = setTimeout(() => {
      isDue = true;
      void go();
    }, waitMs);
  };
  return (request) =>
    new Promise((done) => {
      waiting.push({ request, done });
      if (waiting.length === 1) arm();
      void go();
    });
}
