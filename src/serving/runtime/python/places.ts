import { PAGE_BYTES } from "./wire.ts";

/** Hands out runs of pages in a few sizes, with a free list for each. Starts over when all have come back. */
export class Places {
  readonly #first: number;
  readonly #limit: number;
  #next: number;
  readonly #free = new Map<number, number[]>();
  readonly #taken = new Map<number, number>();

  /** Pages from `first` up to, not including, `limit`. */
  constructor(first: number, limit: number) {
    this.#first = first;
    this.#limit = limit;
    this.#next = first;
  }

  /** First page of a run that holds `size` bytes, or -1 when there is no room. */
  take(size: number): number {
    const pages = roundedPages(size);
    let page = this.#free.get(pages)?.pop();
    if (page === undefined) {
      if (this.#next + pages > this.#limit) return -1;
      page = this.#next;
      this.#next += pages;
    }
    this.#taken.set(page, pages);
    return page;
  }

  /** False when the page was not in use: the peer sent a wrong number and cannot be trusted. */
  giveBack(page: number): boolean {
    const pages = this.#taken.get(page);
    if (pages === undefined) return false;
    this.#taken.delete(page);
    if (this.#taken.size === 0) {
      this.#next = this.#first;
      this.#free.clear();
      return true;
    }
    const free = this.#free.get(pages);
    if (free === undefined) this.#free.set(pages, [page]);
    else free.push(page);
    return true;
  }

  get taken(): number {
    return this.#taken.size;
  }
}

/** Pages for `size` bytes, rounded up to a quarter of a power of two, so that places fit again and at most a quarter is wasted. */
function roundedPages(size: number): number {
  const pages = Math.max(1, Math.ceil(size / PAGE_BYTES));
  const step = Math.max(1, 2 ** (Math.floor(Math.log2(pages)) - 2));
  return Math.ceil(pages / step) * step;
}
