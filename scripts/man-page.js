// Makes the manual page, slipway(1), of the same data that --help is made of.
import { COMMANDS, LOGIN_OPTIONS, reachOptions } from "../src/app/index.ts";
import { GLOBAL_FLAGS } from "../src/cli/command-names.ts";
import { ERROR_CODES } from "../src/ground/errors/index.ts";

/** The page in man(7), which groff and mandoc read. */
export async function renderManPage() {
  // Old spellings of `train pack` have its options.
  const names = Object.keys(COMMANDS).filter(
    (name) => !COMMANDS[name.split(" ")[0]].summary.includes("the same as") || !name.includes(" "),
  );
  const sections = [];
  for (const name of names) sections.push(await renderCommand(name));
  return `${[
    '.\\" Made of the data of --help by scripts/build.js.',
    '.TH SLIPWAY 1 "" "slipway" "User Commands"',
    ".SH NAME",
    "slipway \\- pack trained models into images without Docker, push them, serve them",
    ".SH SYNOPSIS",
    ".B slipway",
    ".I COMMAND",
    "[OPTIONS]",
    ".SH OPTIONS OF EVERY COMMAND",
    ...GLOBAL_FLAGS.flatMap(renderFlag),
    ...entry(".B \\-\\-version", "print the version"),
    ".SH COMMANDS",
    ...sections.flat(),
    ".SH EXIT STATUS",
    ...exitLines(),
    ".SH FILES",
    ...entry(".I ~/.local/share/slipway", "images of the local store ($XDG_DATA_HOME)"),
    ...entry(".I ~/.cache/slipway", "may be removed at any time ($XDG_CACHE_HOME)"),
    ...entry(".I ~/.local/state/slipway", "unfinished uploads ($XDG_STATE_HOME)"),
  ].join("\n")}\n`;
}

async function renderCommand(name) {
  const { options, registry, notes = [], examples = [] } = await COMMANDS[name].load();
  const all = [
    options,
    registry?.login === undefined ? {} : LOGIN_OPTIONS,
    registry === undefined ? {} : reachOptions(registry),
  ];
  const flags = all
    .flatMap((some) => Object.values(some).flatMap((option) => option.flags))
    .filter(({ isHidden }) => isHidden !== true);
  const places = flags.filter(({ form }) => !form.startsWith("-"));
  const synopsis = [`slipway ${name}`, ...places.map(({ form }) => form)].join(" ");
  return [
    `.SS ${quoted(synopsis)}`,
    text(COMMANDS[name].summary),
    ...[...places, ...flags.filter((flag) => !places.includes(flag))].flatMap(renderFlag),
    ...notes.flatMap((note) => [".PP", ...block(note)]),
    ...(examples.length === 0 ? [] : [".PP", "Example:", ".nf", ...examples.flatMap(lines), ".fi"]),
  ];
}

function renderFlag({ form, help, choices, byDefault }) {
  const extra = [
    ...(choices === undefined ? [] : [`one of ${choices.join(", ")}`]),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
  ];
  return entry(
    `.B ${quoted(form)}`,
    `${help}${extra.length === 0 ? "" : ` (${extra.join("; ")})`}`,
  );
}

/** Codes that end the command with the same number stand together. */
function exitLines() {
  const byStatus = Map.groupBy(Object.entries(ERROR_CODES), ([, { exit }]) => exit);
  return [
    ...entry(".B 0", "success"),
    ...[...byStatus]
      .sort(([a], [b]) => a - b)
      .flatMap(([status, codes]) => entry(`.B ${status}`, codes.map(([code]) => code).join(", "))),
  ];
}

const entry = (title, words) => [".TP", title, text(words)];
const block = (words) => (words.includes("\n") ? [".nf", ...lines(words), ".fi"] : [text(words)]);
const lines = (words) => words.split("\n").map(text);
const quoted = (words) => `"${escape(words).replaceAll('"', "\\(dq")}"`;
/** A line that begins with a dot or an apostrophe would be a request. */
const text = (words) => escape(words).replace(/^([.'])/, "\\&$1");
const escape = (words) =>
  words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "\\&...");
