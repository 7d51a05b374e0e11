import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../src/app/index.ts";
import { commandNames } from "../src/cli/command-names.ts";
import { createCommand, type ReadWords } from "../src/cli/create-command.ts";
import { refuseMissingValues } from "../src/cli/missing-values.ts";
import { oneChunk } from "../src/ground/bytes/index.ts";
import { run } from "../src/ground/process/index.ts";
import { parseCatalogue } from "../src/jobs/catalogue/index.ts";
import { parseGraphFile, parseProjectFile, parseYaml } from "../src/models/description/index.ts";
import { parseVersionsFile } from "../src/models/repository/versions-file.ts";
import { commandsOf, docBlocks, docCommands, type DocBlock } from "./support/doc-examples.ts";
import { requirePeer } from "./support/peers.ts";

const ROOT = resolve(import.meta.dirname, "..");
const blocks = docBlocks();
const blocksIn = (language: string): readonly DocBlock[] =>
  blocks.filter((block) => block.language === language);

/** Reads a command's words as the program does, and runs nothing. @throws ToolError or Commander's error for what it does not know */
async function readCommand(words: readonly string[]): Promise<ReadWords | undefined> {
  const [first = "", ...args] = words.filter(
    (word) => !["--json", "--quiet", "--plain-http"].includes(word),
  );
  const name = commandNames().find((known) => known === first);
  if (name === undefined) throw new Error(`there is no command "${first}"`);
  if (args.includes("--help")) return undefined;
  let read: ReadWords | undefined;
  const context = { cwd: ROOT, environment: {} };
  const command = await createCommand(
    name,
    () => context,
    async (given) => void (read = given),
  );
  refuseMissingValues(command, args);
  await command.parseAsync(args, { from: "user" });
  return read;
}

/** What a usage line stands for: all that is optional is there, once, and nothing is where it says that more may follow. */
const plainWords = (words: readonly string[]): readonly string[] =>
  words
    .map((word) =>
      word.replace(/^\[(.*)\]\.\.\.$|^\[/, "$1").replace(/^([^[]*)\](?:\.\.\.)?$/, "$1"),
    )
    .filter((word) => word !== "…");

/** A sentence may name a command, or show it with words that stand for others. */
async function checkMention(words: readonly string[]): Promise<void> {
  const given = words.filter((word) => !/^(?:FLAGS|COMMAND|参数|命令|…)$/.test(word));
  if (given.some((word) => word.startsWith("-") && word !== "--help")) {
    await readCommand(given);
    return;
  }
  const [first] = given.filter((word) => word !== "--help");
  if (first !== undefined && !commandNames().some((name) => name === first))
    throw new Error(`there is no command "${first}"`);
}

test("every command that a page shows is read by the command line", async () => {
  const commands = docCommands();
  assert.ok(commands.length > 100, `${commands.length} commands seen`);
  const wrong: string[] = [];
  for (const { place, words, isMention } of commands)
    try {
      await (isMention ? checkMention(words) : readCommand(plainWords(words)));
    } catch (error) {
      wrong.push(`${place}: slipway ${words.join(" ")}: ${String(error)}`);
    }
  assert.deepEqual(wrong, []);
});

test("every example of a command's help is read by that command", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const name of commandNames()) {
    const { examples = [] } = await COMMANDS[name].load();
    for (const words of examples.flatMap((line) => commandsOf(line.replaceAll("\\\n", " ")))) {
      seen += 1;
      try {
        await readCommand(plainWords(words));
      } catch (error) {
        wrong.push(`${name}: ${words.join(" ")}: ${String(error)}`);
      }
    }
  }
  assert.ok(seen > 40, `${seen} examples seen`);
  assert.deepEqual(wrong, []);
});

test("every YAML example is what its reader takes", async (t) => {
  const found = blocksIn("yaml");
  assert.ok(found.length >= 15);
  for (const { place, text } of found)
    await t.test(place, async () => {
      if (/^releases:/m.test(text)) await parseCatalogue(text, place);
      else if (/^serve:/m.test(text)) await parseVersionsFile(text, place);
      else if (/^kind: SeldonDeployment/m.test(text)) await parseGraphFile(text, { file: place });
      else if (/^(?:name|contract):/m.test(text)) await parseProjectFile(text, place);
      else assert.equal(typeof (await parseYaml(text)), "object");
    });
});

test("every JSON example is JSON", () => {
  const found = blocksIn("json");
  assert.ok(found.length >= 7);
  for (const { place, text } of found) assert.doesNotThrow(() => JSON.parse(text), place);
});

test("every Python example is Python", async (t) => {
  const python = await requirePeer(t, "python3");
  if (python === undefined) return;
  const found = blocksIn("python");
  assert.ok(found.length >= 7);
  await run(
    [
      python,
      "-c",
      "import json, sys\nfor one in json.load(sys.stdin): compile(one['text'], one['place'], 'exec')",
    ],
    { stdin: oneChunk(Buffer.from(JSON.stringify(found))) },
  );
});
