/** A change of permission bits. @returns the new bits, set-user, set-group and sticky among them. */
type ModeChange = (mode: number, isDirectory: boolean) => number;

/** What `--chmod` says. `folderMode` is the mode of folders made on the way to the target. */
export interface FileMode {
  readonly change: ModeChange;
  readonly folderMode: number;
}

const MAX_MODE = 0o7777;
const PERMISSIONS = 0o777;
const STICKY = 0o1000;
const STANDARD = 0o6777;
const WHO: Readonly<Record<string, number>> = { a: STANDARD, u: 0o4700, g: 0o2070, o: 0o007 };
const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const DEFAULT_FOLDER_MODE = 0o755;

/**
 * Reads `--chmod`: octal digits, or clauses such as `u=rwX,go=rX`.
 * @throws Error with what is wrong.
 * @see chmod(1); tonistiigi/dchapes-mode, which BuildKit uses
 */
export function parseFileMode(text: string): FileMode {
  if (/^\d/.test(text)) {
    const mode = /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
    if (!(mode <= MAX_MODE))
      throw new Error(
        `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
      );
    return { change: () => mode, folderMode: mode & PERMISSIONS };
  }
  const clauses = text.split(",").map((clause) => parseClause(clause, text));
  return {
    folderMode: DEFAULT_FOLDER_MODE,
    change: (before, isDirectory) => {
      let mode = before;
      for (const action of clauses.flat()) mode = action(mode, { before, isDirectory });
      return mode;
    },
  };
}

interface Subject {
  readonly before: number;
  readonly isDirectory: boolean;
}
type Action = (mode: number, subject: Subject) => number;

/** One clause: who, then operators each with its permissions. */
function parseClause(clause: string, text: string): readonly Action[] {
  const [, letters = "", operations = ""] =
    /^([augo]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause) ?? [];
  if (operations === "")
    throw new Error(`invalid chmod parameter: '${text}': it is neither octal nor like u=rw,go=r`);
  let who = Array.from(letters).reduce((bits, letter) => bits | (WHO[letter] ?? 0), 0);
  return [...operations.matchAll(/([-+=])([rwxXstugo]*)/g)].flatMap(
    ([, operator = "", permissions = ""]) => {
      who &= ~STICKY;
      if (permissions.includes("t") && takesSpecial(who)) who |= STICKY;
      return actionsOf({ operator, permissions, who });
    },
  );
}

interface Operation {
  readonly operator: string;
  readonly permissions: string;
  /** Bits that the clause speaks of; 0 where it names nobody. */
  readonly who: number;
}

function actionsOf({ operator, permissions, who }: Operation): readonly Action[] {
  const reach = who === 0 ? MAX_MODE : who;
  const cleared = who === 0 ? STANDARD : who;
  const clears: Action = (mode) => mode & ~cleared;
  const copies = Array.from(permissions).filter((letter) => letter in SHIFT);
  const bits = Array.from(permissions).reduce(
    (sum, letter) => sum | bitsOf(letter, operator, who),
    0,
  );
  const actions: Action[] = operator === "=" && copies.length === 0 ? [clears] : [];
  if (operator === "=" && copies.length > 0 && bits !== 0) actions.push(clears);
  if (bits !== 0)
    actions.push((mode) => (operator === "-" ? mode & ~(bits & reach) : mode | (bits & reach)));
  if (permissions.includes("X") && operator !== "-")
    actions.push((mode, { before, isDirectory }) =>
      (before & 0o111) !== 0 || isDirectory ? mode | (0o111 & reach) : mode,
    );
  return [...actions, ...copies.map((letter) => copyAction(letter, operator, who))];
}

function bitsOf(letter: string, operator: string, who: number): number {
  if (letter === "r") return 0o444;
  if (letter === "w") return 0o222;
  if (letter === "x") return 0o111;
  if (letter === "X") return operator === "-" ? 0o111 : 0;
  if (letter === "s") return takesSpecial(who) ? 0o6000 : 0;
  return letter === "t" && takesSpecial(who) ? STICKY : 0;
}

/** Set-id and sticky bits mean nothing to others alone. */
function takesSpecial(who: number): boolean {
  return who === 0 || (who & ~0o007) !== 0;
}

/** `g=u` and its kin: the bits of one kind of user for another. */
function copyAction(letter: string, operator: string, who: number): Action {
  const targets = [6, 3, 0].filter((shift) => who === 0 || ((who >> shift) & 0o4) !== 0);
  return (mode) => {
    const value = (mode >> (SHIFT[letter] ?? 0)) & 0o7;
    return targets.reduce((result, shift) => {
      if (operator === "-") return result & ~(value << shift);
      const kept = operator === "=" ? result & ~(0o7 << shift) : result;
      return kept | (value << shift);
    }, mode);
  };
}
