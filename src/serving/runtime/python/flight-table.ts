import type { Flight } from "./worker-call.ts";

/**
 * Calls inside a worker by their number, in places that are used again and again. A `Map` makes a new table for every few dozen calls that
 * go through it, and a table that was left holds its calls and the next table until all memory is collected: each collection of young
 * memory copied every request of the last second, for 15 ms.
 */
export class FlightTable {
  readonly #places: (Flight | undefined)[];
  readonly #mask: number;
  /** Calls that are still inside when their place is wanted again. */
  readonly #late = new Map<number, Flight>();
  #size = 0;

  /** @param window - calls that are inside at the same time, usually */
  constructor(window: number) {
    const count = 2 ** Math.ceil(Math.log2(2 * Math.max(1, window)));
    this.#places = Array.from({ length: count }, () => undefined);
    this.#mask = count - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts a call in by its `id`, which no other call inside has. */
  add(flight: Flight): void {
    const at = flight.id & this.#mask;
    const before = this.#places[at];
    if (before !== undefined) this.#late.set(before.id, before);
    this.#places[at] = flight;
    this.#size += 1;
  }

  has(id: number): boolean {
    return this.#places[id & this.#mask]?.id === id || this.#late.has(id);
  }

  /** Takes a call out; undefined when it is not inside. */
  take(id: number): Flight | undefined {
    const at = id & this.#mask;
    const found = this.#places[at];
    if (found?.id === id) {
      this.#places[at] = undefined;
      this.#size -= 1;
      return found;
    }
    const late = this.#late.get(id);
    if (late === undefined) return undefined;
    this.#late.delete(id);
    this.#size -= 1;
    return late;
  }

  /** A call without taking it out. */
  get(id: number): Flight | undefined {
    const found = this.#places[id & this.#mask];
    return found?.id === id ? found : this.#late.get(id);
  }

  /** What is inside, by number from the oldest on; numbers go round at 2^32. */
  inOrder(): readonly Flight[] {
    const inside = [...this.#late.values(), ...this.#places.filter((one) => one !== undefined)];
    return inside.toSorted((one, other) => (one.id - other.id) >> 0);
  }

  clear(): void {
    this.#places.fill(undefined);
    this.#late.clear();
    this.#size = 0;
  }
}
