import { createHash } from 'node:crypto';

/**
 * What models take as the name of a tool: `^[a-zA-Z0-9_-]{1,64}$`.
 *
 * @see https://platform.claude.com/docs/en/agents-and-tools/tool-use
 */
const maxNameLength = 64;
const maxPrefixLength = 24;
const hashLength = 8;

function clean(text: string): string {
  return text.replace(/[^a-zA-Z0-9_-]/g, '_');
}

function hashed(name: string, seed: string): string {
  const hash = createHash('sha256').update(seed).digest('hex').slice(0, hashLength);
  return `${(clean(name) || 'tool').slice(0, maxNameLength - hashLength - 1)}_${hash}`;
}

/** A source's name as a prefix: cut, and none of those that are taken. */
export function prefixFor(source: string, taken: ReadonlySet<string>): string {
  const base = clean(source).slice(0, maxPrefixLength) || 'server';
  let prefix = base;
  for (let n = 2; taken.has(prefix); n++) prefix = `${base}-${n}`;
  return prefix;
}

/**
 * The prefix of each source's tools, in the order of the sources. A single source needs none; with
 * several, each is its source's name, cut and made unique.
 */
export function assignPrefixes(sources: readonly string[]): string[] {
  if (sources.length === 1) return [''];
  const taken = new Set<string>();
  return sources.map((source) => {
    const prefix = prefixFor(source, taken);
    taken.add(prefix);
    return prefix;
  });
}

/**
 * The name under which each tool is shown: `prefix__tool`, or `tool` without a prefix. Unique,
 * of `[a-zA-Z0-9_-]`, at most 64 characters, and a function of the names alone, not of their order:
 *
 * - other characters become `_`;
 * - a name that is too long, or that another tool's name becomes as well, ends in a hash of what it
 *   was made from. A tool whose name needed no change keeps it.
 *
 * @param lists the tools of each source; the names within one list are distinct.
 */
export function assignToolNames(
  lists: readonly { prefix: string; tools: readonly string[] }[],
): string[][] {
  return chooseNames(
    lists.map(({ prefix, tools }) => tools.map((tool) => wantedName(prefix, tool))),
    { mayHave: () => true, isFree: () => true },
  );
}

interface WantedName {
  full: string;
  /** What its hash is made from. */
  seed: string;
}

function wantedName(prefix: string, tool: string): WantedName {
  return { full: prefix === '' ? tool : `${prefix}__${tool}`, seed: `${prefix}\0${tool}` };
}

function chooseNames(
  wanted: readonly (readonly WantedName[])[],
  rules: {
    /** Whether a list may have a name as it is wanted. */
    mayHave: (name: string, list: number) => boolean;
    /** Whether nobody has a name yet. */
    isFree: (name: string) => boolean;
  },
): string[][] {
  const claims = new Map<string, { exact: number; changed: number }>();
  wanted.forEach((names, list) => {
    for (const { full } of names) {
      const name = clean(full);
      if (!rules.mayHave(name, list)) continue;
      const claim = claims.get(name) ?? { exact: 0, changed: 0 };
      claim[name === full ? 'exact' : 'changed']++;
      claims.set(name, claim);
    }
  });

  const keeps = (full: string, list: number): boolean => {
    const name = clean(full);
    const { exact, changed } = claims.get(name) ?? { exact: 0, changed: 0 };
    if (name.length === 0 || name.length > maxNameLength) return false;
    if (!rules.mayHave(name, list)) return false;
    return name === full ? exact === 1 : exact === 0 && changed === 1;
  };

  const taken = new Set(
    wanted.flatMap((names, list) =>
      names.filter(({ full }) => keeps(full, list)).map(({ full }) => clean(full)),
    ),
  );
  return wanted.map((names, list) =>
    names.map(({ full, seed }) => {
      if (keeps(full, list)) return clean(full);
      let name = hashed(full, seed);
      for (let n = 2; taken.has(name) || !rules.isFree(name); n++) {
        name = hashed(full, `${seed}\0${n}`);
      }
      taken.add(name);
      return name;
    }),
  );
}

/** A tool, by its server and by what the server calls it. */
export interface NamedTool<Server> {
  server: Server;
  tool: string;
}

/** The tools of a server that are to be named. */
export interface ToolsToName<Server> {
  server: Server;
  /** What its tools' names begin with; none if empty. */
  prefix: string;
  /** What the server is called, where that is not its prefix. */
  label?: string;
  /** `tool` is what the server calls it, `name` what is shown where that is something else. */
  tools: readonly { tool: string; name?: string }[];
}

/** A server that gives its tools new names all the time is not to fill the memory. */
const maxNamesPerServer = 10_000;

/**
 * The names of tools, each for one tool for good: a tool keeps its name, and a name that was given
 * once never goes to another tool, also when its own is gone. A name that begins with a server's
 * prefix or label and `__` is never that of another server's tool, whatever the first one lists.
 */
export class ToolNames<Server> {
  readonly #owners = new Map<string, NamedTool<Server>>();
  readonly #names = new Map<Server, Map<string, string>>();

  /** The tool that a name was given to, whether or not it is there now. */
  ownerOf(name: string): NamedTool<Server> | undefined {
    return this.#owners.get(name);
  }

  /** Every tool that has a name, whether or not it is there now. */
  all(): IterableIterator<NamedTool<Server>> {
    return this.#owners.values();
  }

  /** From now on this name, too, is that tool's alone. */
  bind(name: string, owner: NamedTool<Server>): void {
    if (!this.#owners.has(name)) this.#owners.set(name, owner);
  }

  /** Drops all names. */
  clear(): void {
    this.#owners.clear();
    this.#names.clear();
  }

  /** The names of these tools: those that they have, else new ones as {@link assignToolNames} does. */
  assign(lists: readonly ToolsToName<Server>[]): string[][] {
    const spaceOf = nameSpaces(lists);
    const isInSpaceOfOther = (name: string, list: number): boolean => {
      const space = spaceOf(name);
      return space !== undefined && space !== list;
    };
    const fresh = lists.map(({ server, tools }) => {
      const known = this.#names.get(server);
      return tools.filter(({ tool }) => known?.has(tool) !== true);
    });
    const chosen = chooseNames(
      lists.map(({ prefix, label = '' }, list) =>
        (fresh[list] ?? []).map(({ tool, name = tool }) =>
          prefix === '' && isInSpaceOfOther(clean(name), list)
            ? wantedName(clean(label).slice(0, maxPrefixLength), name)
            : wantedName(prefix, name),
        ),
      ),
      {
        mayHave: (name, list) =>
          !this.#isFull(lists[list]?.server) &&
          !this.#owners.has(name) &&
          !isInSpaceOfOther(name, list),
        isFree: (name) => !this.#owners.has(name),
      },
    );
    return lists.map(({ server, tools }, list) => {
      const known = this.#names.get(server) ?? new Map<string, string>();
      this.#names.set(server, known);
      const given = new Map(fresh[list]?.map(({ tool }, index) => [tool, chosen[list]?.[index]]));
      return tools.map(({ tool }) => {
        const name = known.get(tool) ?? given.get(tool) ?? tool;
        // What is not remembered has a hash, which is that of no other tool.
        if (!this.#isFull(server)) {
          known.set(tool, name);
          this.bind(name, { server, tool });
        }
        return name;
      });
    });
  }

  #isFull(server: Server | undefined): boolean {
    const known = server === undefined ? undefined : this.#names.get(server);
    return (known?.size ?? 0) >= maxNamesPerServer;
  }
}

/** Whose names begin as this one does: the server with the longest prefix or label of those. */
function nameSpaces(
  lists: readonly { prefix: string; label?: string }[],
): (name: string) => number | undefined {
  const spaces = lists
    .flatMap(({ prefix, label = '' }, list) => [
      { start: `${prefix}__`, list },
      { start: `${label}__`, list },
    ])
    .filter(({ start }) => start !== '__')
    .sort((a, b) => b.start.length - a.start.length);
  return (name) => spaces.find(({ start }) => name.startsWith(start))?.list;
}
