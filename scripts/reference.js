// Writes docs/reference: what `--help` says of every command and what slipway.yaml may say, to be read and searched without the tool.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { COMMANDS } from "../src/app/index.ts";
import { main } from "../src/cli/main.ts";

const root = resolve(import.meta.dirname, "..");

/** The pages, by file name below docs. */
export async function renderReference() {
  return {
    "reference/cli.md": await renderCommands(),
    "reference/slipway-yaml.md": renderProjectFile(),
  };
}

async function renderCommands() {
  // Each call of the tool listens for the end of whoever reads its output.
  process.stdout.setMaxListeners(0);
  const sections = [];
  for (const name of Object.keys(COMMANDS)) {
    const words = name.split(" ");
    sections.push(section(words, await help(words)));
  }
  return `# Command reference\n\nMade from \`--help\` by \`node scripts/reference.js\`; a test keeps it true.\n\n${sections.join("\n")}`;
}

function section(words, text) {
  return `## slipway ${words.join(" ")}\n\n\`\`\`\n${text}\n\`\`\`\n`;
}

/** What the command prints, asked of it in this process: a process for each page would take a minute. */
async function help(words) {
  const write = process.stdout.write.bind(process.stdout);
  const { columns } = process.stdout;
  const printed = [];
  process.stdout.write = (text) => printed.push(text) > 0;
  process.stdout.columns = undefined;
  try {
    await main([...words, "--help"]);
  } finally {
    process.stdout.write = write;
    process.stdout.columns = columns;
  }
  return printed.join("").trimEnd();
}

function renderProjectFile() {
  const schema = JSON.parse(readFileSync(resolve(root, "schema/slipway.schema.json"), "utf8"));
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
    rowsOf(name, inner),
  );
  return `# slipway.yaml\n\nMade from the JSON Schema ([schema/slipway.schema.json](../../schema/slipway.schema.json)) by \`node scripts/reference.js\`; a test keeps it true. Every field may be left out.\n\n| field | is | means |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

function rowsOf(name, schema) {
  const children = Object.entries(schema.properties ?? {}).flatMap(([child, inner]) =>
    rowsOf(`${name}.${child}`, inner),
  );
  const extra =
    schema.default === undefined ? "" : ` Default: ${code(JSON.stringify(schema.default))}.`;
  const example =
    schema.examples === undefined ? "" : ` Example: ${code(schema.examples.join(", "))}.`;
  return [
    `| ${code(name)} | ${escape(typeOf(schema))} | ${escape(schema.description ?? "")}${extra}${example} |`,
    ...children,
  ];
}

function typeOf(schema) {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.join(", ");
  if (schema.type === "array") return `list of: ${typeOf(schema.items ?? {})}`;
  if (schema.type === "object")
    return schema.properties === undefined ? "names and texts" : "fields";
  return (
    schema.title ??
    { integer: "a whole number", boolean: "true or false", string: "a text" }[schema.type] ??
    "anything"
  );
}

const code = (text) => `\`${text}\``;
const escape = (text) => text.replaceAll("|", "\\|");

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of Object.entries(await renderReference())) {
    const target = resolve(root, "docs", name);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
