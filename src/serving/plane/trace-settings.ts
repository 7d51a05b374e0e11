/** What is recorded of requests. */
export interface TraceRule {
  /** False: nothing. */
  readonly isOn: boolean;
  /** Share of the traces that begin here, 0 to 1. */
  readonly ratio: number;
  /** Traces that are still to be recorded; -1 without end. */
  readonly count: number;
}

/** Members that are to be changed; null for what they were at the start, or, of a model, for what the server has. */
export type TraceChange = { readonly [key in keyof TraceRule]?: TraceRule[key] | null };

/** What is traced, for the whole server and for models that have rules of their own. May be changed while the server runs. */
export class TraceSettings {
  readonly #start: TraceRule;
  #server: TraceRule;
  readonly #models = new Map<string, Partial<TraceRule>>();
  #isAnyOn: boolean;

  /** @param start - of the server, until it is changed */
  constructor(start: TraceRule) {
    this.#start = start;
    this.#server = start;
    this.#isAnyOn = start.isOn;
  }

  /** False while nothing is traced, be it of the server or of a model. */
  get isAnyOn(): boolean {
    return this.#isAnyOn;
  }

  /** The rule of the server, or the one that counts for a model. */
  ruleOf(model?: string): TraceRule {
    return model === undefined ? this.#server : { ...this.#server, ...this.#models.get(model) };
  }

  /** Changes the rule of the server, or of a model. */
  change(model: string | undefined, change: TraceChange): void {
    const changed = Object.entries(change);
    const said = Object.fromEntries(changed.filter(([, value]) => value !== null));
    if (model === undefined) {
      const cleared = changed.filter(([, value]) => value === null).map(([key]) => key);
      const first = Object.entries(this.#start).filter(([key]) => cleared.includes(key));
      this.#server = { ...this.#server, ...Object.fromEntries(first), ...said };
    } else {
      const kept = Object.entries(this.#models.get(model) ?? {}).filter(
        ([key]) => !(key in change),
      );
      const own: Partial<TraceRule> = { ...Object.fromEntries(kept), ...said };
      if (Object.keys(own).length === 0) this.#models.delete(model);
      else this.#models.set(model, own);
    }
    const all = [this.#server, ...this.#models.keys().map((name) => this.ruleOf(name))];
    this.#isAnyOn = all.some(({ isOn }) => isOn);
  }

  /** Decides on a trace by the server's rule, and counts it. @param isDrawn - what the share of traces comes to for this one */
  draw(isDrawn: (ratio: number) => boolean): boolean {
    return this.#draw(undefined, isDrawn);
  }

  /** The same by a model's own rule; undefined for a model that has none. */
  drawFor(model: string, isDrawn: (ratio: number) => boolean): boolean | undefined {
    return this.#models.size === 0 || !this.#models.has(model)
      ? undefined
      : this.#draw(model, isDrawn);
  }

  #draw(model: string | undefined, isDrawn: (ratio: number) => boolean): boolean {
    const { isOn, ratio, count } = this.ruleOf(model);
    if (!isOn || count === 0 || !isDrawn(ratio)) return false;
    if (count > 0) this.#take(model, count - 1);
    return true;
  }

  #take(model: string | undefined, count: number): void {
    const own = model === undefined ? undefined : this.#models.get(model);
    if (model === undefined || own?.count === undefined) this.#server = { ...this.#server, count };
    else this.#models.set(model, { ...own, count });
  }
}
