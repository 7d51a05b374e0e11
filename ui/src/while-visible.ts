/**
 * Does something again and again, one at a time, while the page is looked at; at once when it comes back into view.
 * @returns ends it
 */
export function whileVisible(
  everyMs: number,
  work: (signal: AbortSignal) => Promise<void>,
): () => void {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  const turn = (): void => {
    clearTimeout(timer);
    if (document.hidden || isBusy || controller.signal.aborted) return;
    isBusy = true;
    void work(controller.signal).finally(() => {
      isBusy = false;
      if (!controller.signal.aborted) timer = setTimeout(turn, everyMs);
    });
  };
  document.addEventListener("visibilitychange", turn, { signal: controller.signal });
  turn();
  return () => {
    controller.abort();
    clearTimeout(timer);
  };
}
