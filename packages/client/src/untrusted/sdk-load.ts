import { specTypeSchemas } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/** A result with so few values is checked quickly, whatever is wrong with it. */
const SMALL = 2_000;
/** How many values the SDK's `Client` may have to check; those that it skips do not count. */
const MAX_VALUES = 200_000;
/** How many members one array or object may have, except the list that the result is about. */
const MAX_MEMBERS = 10_000;
/** How many faults a list may have: each costs the SDK some 30 µs and a kilobyte. */
const MAX_FAULTS = 1_000;

/** Members that the SDK does not check. */
const UNCHECKED: ReadonlySet<string> = new Set(['structuredContent', '_meta']);

/** The lists that results are about, and the types of their entries. */
const LISTS = {
  tools: ['Tool'],
  resources: ['Resource'],
  resourceTemplates: ['ResourceTemplate'],
  prompts: ['Prompt'],
  messages: ['PromptMessage'],
  content: ['ContentBlock'],
  contents: ['TextResourceContents', 'BlobResourceContents'],
} as const satisfies Record<string, readonly (keyof typeof specTypeSchemas)[]>;

const isList = (key: string): key is keyof typeof LISTS => Object.hasOwn(LISTS, key);

/**
 * Why the SDK's `Client` would need too long to check a result; `undefined` if it would not. The
 * `Client` describes every fault of a result: half a minute and gigabytes for a list of a million
 * numbers.
 */
export function overloadOf(result: Readonly<Record<string, unknown>>): string | undefined {
  let values = 0;
  let isWide = false;
  const visit = (value: unknown, isTheList: boolean): void => {
    values++;
    if (typeof value !== 'object' || value === null || values > MAX_VALUES) return;
    let members = 0;
    for (const key in value) {
      members++;
      if (members > MAX_MEMBERS && !isTheList) isWide = true;
      if (isWide || values > MAX_VALUES) return;
      if (!UNCHECKED.has(key)) visit((value as Record<string, unknown>)[key], false);
    }
  };
  for (const [key, value] of Object.entries(result)) {
    if (!UNCHECKED.has(key)) visit(value, isList(key));
  }
  if (values <= SMALL) return undefined;
  if (values > MAX_VALUES) return `more than ${MAX_VALUES} values`;
  if (isWide) return `more than ${MAX_MEMBERS} members in one place`;
  return hasManyFaults(result) ? `more than ${MAX_FAULTS} faults` : undefined;
}

function hasManyFaults(result: Readonly<Record<string, unknown>>): boolean {
  let faults = 0;
  for (const [key, list] of Object.entries(result)) {
    if (!isList(key) || !Array.isArray(list)) continue;
    for (const entry of list as unknown[]) {
      faults += Math.min(...LISTS[key].map((type) => faultsOf(type, entry)));
      if (faults > MAX_FAULTS) return true;
    }
  }
  return false;
}

function faultsOf(type: keyof typeof specTypeSchemas, entry: unknown): number {
  return specTypeSchemas[type]['~standard'].validate(entry).issues?.length ?? 0;
}

/** The server has answered, but the SDK's `Client` would need too long to check the answer. */
export function overloadError(what: string, how: string): LongwireError {
  return new LongwireError(
    `the server's answer to ${what} is too large for the SDK's Client to check: ${how}`,
    { code: 'limit-exceeded', certainty: 'answered' },
  );
}
