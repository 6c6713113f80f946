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
  const wanted = lists.map(({ prefix, tools }) =>
    tools.map((tool) => ({
      full: prefix === '' ? tool : `${prefix}__${tool}`,
      seed: `${prefix}\0${tool}`,
    })),
  );

  const claims = new Map<string, { exact: number; changed: number }>();
  for (const { full } of wanted.flat()) {
    const name = clean(full);
    const claim = claims.get(name) ?? { exact: 0, changed: 0 };
    claim[name === full ? 'exact' : 'changed']++;
    claims.set(name, claim);
  }

  const keeps = (full: string): boolean => {
    const name = clean(full);
    const { exact, changed } = claims.get(name) ?? { exact: 0, changed: 0 };
    if (name.length === 0 || name.length > maxNameLength) return false;
    return name === full ? exact === 1 : exact === 0 && changed === 1;
  };

  const taken = new Set(
    wanted
      .flat()
      .filter(({ full }) => keeps(full))
      .map(({ full }) => clean(full)),
  );
  return wanted.map((tools) =>
    tools.map(({ full, seed }) => {
      if (keeps(full)) return clean(full);
      let name = hashed(full, seed);
      for (let n = 2; taken.has(name); n++) name = hashed(full, `${seed}\0${n}`);
      taken.add(name);
      return name;
    }),
  );
}
