import { specTypeSchemas } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/** So much is checked in no time, whatever is wrong with it. */
const SMALL = 2_000;
/** Values that an answer may hold for the SDK's `Client`, what it does not look into left out. */
const MAX_VALUES = 200_000;
/** Members of one array or object in it, the list that it is about left out. */
const MAX_MEMBERS = 10_000;
/** What the SDK finds wrong in a list costs it some 30 µs and a kilobyte each. */
const MAX_FAULTS = 1_000;

/** What the SDK takes as it is. */
const UNCHECKED: ReadonlySet<string> = new Set(['structuredContent', '_meta']);

/** Lists that a result may be about, and what one of their entries has to be. */
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
 * Why a result is more than the SDK's `Client` can check in time; `undefined` if it is not. The
 * `Client` describes all that is wrong in a result, which takes half a minute and gigabytes for a
 * list of a million numbers.
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

/** The server has answered, and it would take the SDK's `Client` too long to check the answer. */
export function overloadError(what: string, how: string): LongwireError {
  return new LongwireError(
    `the server's answer to ${what} is too much for the SDK's Client to check: ${how}`,
    { code: 'limit-exceeded', certainty: 'answered' },
  );
}
