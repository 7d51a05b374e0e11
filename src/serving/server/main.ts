import { main } from "./run-entry.ts";

// The launchers of images, which import the bundle, call it themselves.
export { main };

if (import.meta.main) await main(process.argv.slice(2));
