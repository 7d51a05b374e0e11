import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

/** Asks a URL again and again over one connection, and posts the times in ms when it is told to stop. */
async function probe(url: string, isOver: () => boolean): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (!isOver()) {
    const startedAt = performance.now();
    await new Promise<void>((resolve, reject) => {
      get(url, { agent }, (response) => {
        response.resume().on("end", resolve);
      }).on("error", reject);
    });
    times.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  agent.destroy();
  return times;
}

let isOver = false;
parentPort?.once("message", () => (isOver = true));
parentPort?.postMessage(await probe(workerData as string, () => isOver)); // a test gives the URL
