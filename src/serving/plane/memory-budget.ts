import { InferenceError } from "../../ground/errors/index.ts";

/** What a load asks memory for. */
export interface MemoryClaim {
  /** Name of the model, for messages. */
  readonly model: string;
  /** Bytes that it is thought to take. */
  readonly bytes: number;
  /** Frees some memory, or waits for some to come free; resolves to false when there is none to come. */
  readonly free: () => Promise<boolean>;
}

/** Memory that loaded models share. Claims are met in the order in which they come, so that a large model is not passed by for ever. */
export class MemoryBudget {
  /** The most that may be taken, in bytes. */
  readonly bytes: number;
  #taken = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** Taken now, in bytes. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes memory, when others have given back enough.
   * @throws InferenceError `MODEL_LOAD_FAILED` for more than there is in all; `OVERLOADED` when what is taken cannot be freed
   */
  async take(claim: MemoryClaim): Promise<void> {
    const { model, bytes } = claim;
    if (bytes > this.bytes)
      throw new InferenceError(
        "MODEL_LOAD_FAILED",
        `load the model "${model}": it takes about ${mebi(bytes)} MiB, and the budget of all models is ${mebi(this.bytes)} MiB`,
        { model, hint: "raise --memory-budget" },
      );
    const before = this.#turn;
    const turn = before.then(async () => this.#takeNow(claim));
    this.#turn = turn.catch(() => undefined); // the next one takes its turn whatever came of this one
    await turn;
  }

  /** Gives back what was taken. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }

  async #takeNow({ model, bytes, free }: MemoryClaim): Promise<void> {
    while (this.#taken + bytes > this.bytes) {
      if (await free()) continue;
      throw new InferenceError(
        "OVERLOADED",
        `load the model "${model}": ${mebi(this.#taken)} of ${mebi(this.bytes)} MiB are taken by models that have to stay`,
        { model, hint: "raise --memory-budget, or unload a model" },
      );
    }
    this.#taken += bytes;
  }
}

function mebi(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
