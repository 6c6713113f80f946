import { signal, type ReadonlySignal } from '@preact/signals';
import type { Check, Expectation } from '@longwire/recording';
import { isObject } from '@longwire/recording/shown';
import { ask } from '../state/api.js';

/** A check of the file. */
export interface ListedCheck extends Check {
  readonly index: number;
  /** The server of the page that it is about. */
  readonly shownAs?: string;
}

/** The checks of the file, as it was when it was asked for. */
export interface CheckList {
  readonly file: string;
  readonly version: string;
  readonly checks: readonly ListedCheck[];
}

const list = signal<CheckList | undefined>(undefined);
const problem = signal('');

/** The checks that are known; `undefined` before they are. */
export const checkList: ReadonlySignal<CheckList | undefined> = list;

/** Why the file cannot be read; empty where it can. */
export const checksProblem: ReadonlySignal<string> = problem;

/** Asks for the file, which somebody may have edited. */
export function loadChecks(): void {
  ask('GET', 'checks').then(take, (error: unknown) => {
    list.value = undefined;
    problem.value = error instanceof Error ? error.message : String(error);
  });
}

/** Adds a check of a server of the page. @throws ApiError if the file cannot be changed. */
export async function addCheck(check: Check): Promise<void> {
  take(await ask('POST', 'checks', check));
}

/** Removes a check. @throws ApiError if the file has changed since it was asked for; it is asked for then. */
export async function removeCheck({ index }: ListedCheck): Promise<void> {
  try {
    take(await ask('POST', 'checks/remove', { index, version: list.value?.version ?? '' }));
  } catch (error) {
    loadChecks();
    throw error;
  }
}

function take(answer: unknown): void {
  if (!isObject(answer) || !Array.isArray(answer['checks'])) return;
  list.value = answer as unknown as CheckList;
  problem.value = '';
}

/** What is expected, in words. */
export function expectationWords({ error = false, contains, equals, has }: Expectation): string {
  const json = (value: unknown): string => JSON.stringify(value) ?? '';
  const words = [
    ...(error ? ['is an error'] : []),
    ...(contains === undefined ? [] : [`contains ${json(contains)}`]),
    ...(equals === undefined ? [] : [`is ${json(equals)}`]),
    ...(has === undefined ? [] : [`has ${json(has)}`]),
  ];
  return words.length === 0 ? 'is no error' : words.join(', ');
}
