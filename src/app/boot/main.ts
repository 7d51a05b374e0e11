import { runAsEntry } from "../../serving/server/index.ts";
import { bootImage } from "./boot-image.ts";

if (import.meta.main) await runAsEntry(bootImage, process.argv.slice(2));
