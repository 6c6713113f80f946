import { readTypes, type ReadMember, type ReadType, type ReadTypes } from './read-types.js';

/** One thing that is not in the servers as the file has it. */
export interface Drift {
  /** The interface of the server, or `Tools`; `null` for the whole file. */
  readonly interface: string | null;
  /** `null` for all of the server. */
  readonly tool: string | null;
  readonly change:
    | 'format'
    | 'server-added'
    | 'server-removed'
    | 'tool-added'
    | 'tool-removed'
    | 'argument-added'
    | 'argument-removed'
    | 'argument-changed'
    | 'result-added'
    | 'result-removed'
    | 'result-changed'
    | 'description-changed'
    | 'schema-changed'
    | 'name-changed';
  /** The argument, or the member of the result. */
  readonly member?: string;
  /** The type as the file has it, and as it is. */
  readonly was?: string;
  readonly is?: string;
}

/** What the file has otherwise than it would be written now; none if it is up to date. */
export function driftOf(file: string, now: string): Drift[] {
  const current = readTypes(now);
  let old: ReadTypes;
  try {
    old = readTypes(file);
  } catch {
    return [{ interface: null, tool: null, change: 'format' }];
  }
  const changedNames = changedTypes(old, current);
  const drift = serverNames(old, current).flatMap((name) =>
    serverDrift(name, {
      before: serverIn(old, name),
      after: serverIn(current, name),
      changedNames,
    }),
  );
  if (drift.length > 0) return drift;
  const [before, after] = [old, current].map((types) => types.interfaces.get('Tools'));
  if (before?.text !== after?.text || changedNames.size > 0) {
    return [{ interface: 'Tools', tool: null, change: 'name-changed' }];
  }
  const isSame =
    old.head === current.head &&
    [...current.definitions].every(
      ([name, { comment }]) => old.definitions.get(name)?.comment === comment,
    );
  return isSame ? [] : [{ interface: null, tool: null, change: 'format' }];
}

interface ReadServer {
  readonly type: ReadType;
  readonly digest: string;
}

/** The interfaces that the head names. */
function serverNames(...files: readonly ReadTypes[]): string[] {
  const names = files.flatMap(({ head }) =>
    [...head.matchAll(/^- .* \((\w+)\): \d+ tools?, sha256:\w+$/gm)].map(([, name = '']) => name),
  );
  return [...new Set(names)].sort();
}

function serverIn({ head, interfaces }: ReadTypes, name: string): ReadServer | undefined {
  const type = interfaces.get(name);
  const digest = new RegExp(`^- .* \\(${name}\\): .*sha256:(\\w+)$`, 'm').exec(head)?.[1];
  return type === undefined || digest === undefined ? undefined : { type, digest };
}

function serverDrift(
  name: string,
  {
    before,
    after,
    changedNames,
  }: {
    before: ReadServer | undefined;
    after: ReadServer | undefined;
    changedNames: ReadonlySet<string>;
  },
): Drift[] {
  if (before === undefined) return [{ interface: name, tool: null, change: 'server-added' }];
  if (after === undefined) return [{ interface: name, tool: null, change: 'server-removed' }];
  const drift = namesOf(before.type, after.type).flatMap((tool) =>
    toolDrift(before.type.members?.get(tool), after.type.members?.get(tool), changedNames).map(
      (found): Drift => ({ interface: name, tool: JSON.parse(tool) as string, ...found }),
    ),
  );
  if (drift.length === 0 && before.digest !== after.digest) {
    return [{ interface: name, tool: null, change: 'schema-changed' }];
  }
  return drift;
}

type ToolDrift = Omit<Drift, 'interface' | 'tool'>;

function toolDrift(
  before: ReadMember | undefined,
  after: ReadMember | undefined,
  changedNames: ReadonlySet<string>,
): ToolDrift[] {
  if (before === undefined) return [{ change: 'tool-added' }];
  if (after === undefined) return [{ change: 'tool-removed' }];
  const drift = (['arguments', 'structured'] as const).flatMap((part) =>
    partDrift(part === 'arguments' ? 'argument' : 'result', {
      before: before.members?.get(`"${part}"`),
      after: after.members?.get(`"${part}"`),
      changedNames,
    }),
  );
  if (drift.length > 0 || before.comment === after.comment) return drift;
  return [{ change: 'description-changed' }];
}

function partDrift(
  what: 'argument' | 'result',
  {
    before,
    after,
    changedNames,
  }: {
    before: ReadType | undefined;
    after: ReadType | undefined;
    changedNames: ReadonlySet<string>;
  },
): ToolDrift[] {
  if (after === undefined) return before === undefined ? [] : [{ change: `${what}-removed` }];
  if (before === undefined) return [{ change: `${what}-added`, is: after.text }];
  if (before.members === undefined || after.members === undefined) {
    return isSame(before, after, changedNames)
      ? []
      : [{ change: `${what}-changed`, was: before.text, is: after.text }];
  }
  return namesOf(before, after).flatMap((name): ToolDrift[] => {
    const [old, now] = [before.members?.get(name), after.members?.get(name)];
    const member = name.startsWith('"') ? (JSON.parse(name) as string) : name;
    const has = what === 'argument' ? what : 'result';
    if (now === undefined) return [{ change: `${has}-removed`, member, was: shown(old) }];
    if (old === undefined) return [{ change: `${has}-added`, member, is: shown(now) }];
    return isSame(old, now, changedNames)
      ? []
      : [{ change: `${has}-changed`, member, was: shown(old), is: shown(now) }];
  });
}

function isSame(before: ReadType, after: ReadType, changedNames: ReadonlySet<string>): boolean {
  const isOptional = (type: ReadType): boolean => 'isOptional' in type && type.isOptional === true;
  return (
    before.text === after.text &&
    isOptional(before) === isOptional(after) &&
    !wordsOf(after.text).some((word) => changedNames.has(word))
  );
}

function shown(member: ReadMember | undefined): string {
  return `${member?.isOptional === true ? 'optional ' : ''}${member?.text ?? ''}`;
}

/** The definitions that are not what they were, and all that hold one of them. */
function changedTypes(old: ReadTypes, current: ReadTypes): Set<string> {
  const names = new Set([...old.definitions.keys(), ...current.definitions.keys()]);
  const changed = new Set(
    [...names].filter(
      (name) => old.definitions.get(name)?.text !== current.definitions.get(name)?.text,
    ),
  );
  for (let size = -1; size !== changed.size;) {
    size = changed.size;
    for (const [name, { text }] of current.definitions) {
      if (wordsOf(text).some((word) => changed.has(word))) changed.add(name);
    }
  }
  return changed;
}

/** The names in a type. */
function wordsOf(text: string): string[] {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, ' ').match(/[A-Za-z_$][\w$]*/g) ?? [];
}

function namesOf(before: ReadType, after: ReadType): string[] {
  return [...new Set([...(before.members?.keys() ?? []), ...(after.members?.keys() ?? [])])].sort();
}
