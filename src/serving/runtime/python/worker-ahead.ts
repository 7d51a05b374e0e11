import { openWorker, type OpenWorker, type WorkerPlan } from "./worker-plan.ts";
import type { SpawnOptions } from "./worker-process.ts";

/**
 * A worker that is started before the rest of the server is loaded, so that its interpreter and the model's packages come up meanwhile.
 * Who closes it ends the process, unless somebody has taken it.
 */
export class WorkerAhead implements Disposable {
  readonly #plan: string;
  #opened: OpenWorker | undefined;
  /** What was printed before anybody took the process. */
  readonly #lines: Parameters<SpawnOptions["onOutput"]>[] = [];
  #onOutput: SpawnOptions["onOutput"] = (...line) => void this.#lines.push(line);

  constructor(plan: WorkerPlan) {
    this.#plan = JSON.stringify(plan);
    this.#opened = openWorker(plan, (...line) => this.#onOutput(...line));
  }

  /** The process, once, for who would start the same; undefined for who would start another. */
  take(plan: WorkerPlan, onOutput: SpawnOptions["onOutput"]): OpenWorker | undefined {
    if (this.#opened === undefined || JSON.stringify(plan) !== this.#plan) return undefined;
    const opened = this.#opened;
    this.#opened = undefined;
    this.#onOutput = onOutput;
    for (const line of this.#lines.splice(0)) onOutput(...line);
    return opened;
  }

  [Symbol.dispose](): void {
    this.#opened?.process.signal("SIGKILL");
    this.#opened?.arena?.close();
    this.#opened = undefined;
  }
}
