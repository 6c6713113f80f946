import { expectationOf, type Expectation } from './expectation.js';
import type { CallLine, EndLine, RecordedLine } from './format.js';
import { isCut } from './values.js';

/** A call of a tool that is saved, with what is expected of its answer. */
export interface Check {
  /** The name of the server in a configuration, or its URL. */
  readonly server: string;
  readonly tool: string;
  /** Default: none. */
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** Default: it is no error. */
  readonly expect?: Expectation;
}

/** What is wrong with a file of checks, and where. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads the value of a file of checks: `{ "checks": [ … ] }`.
 *
 * @throws CheckError with the place of what is wrong. A member that it does not know is wrong, too: an
 * expectation that is misspelt would always hold.
 */
export function parseChecks(value: unknown): Check[] {
  const { checks } = membersOf(value, 'the file', ['checks']);
  if (!Array.isArray(checks)) throw new CheckError('"checks" is missing, or is no list');
  return checks.map((check: unknown, index) => parseCheck(check, `checks[${index}]`));
}

/**
 * Reads one check. `place` is what messages call it.
 *
 * @throws CheckError with the place of what is wrong.
 */
export function parseCheck(value: unknown, place: string): Check {
  const check = membersOf(value, place, ['server', 'tool', 'arguments', 'expect']);
  const { arguments: args, expect } = check;
  return {
    server: textOf(check, 'server', place),
    tool: textOf(check, 'tool', place),
    ...(args !== undefined && { arguments: membersOf(args, `${place}.arguments`) }),
    ...(expect !== undefined && { expect: parseExpectation(expect, `${place}.expect`) }),
  };
}

function parseExpectation(value: unknown, place: string): Expectation {
  const members = membersOf(value, place, ['error', 'contains', 'equals', 'has']);
  const { error, contains } = members;
  if (error !== undefined && typeof error !== 'boolean') {
    throw new CheckError(`${place}.error is true or false`);
  }
  if (contains !== undefined && typeof contains !== 'string') {
    throw new CheckError(`${place}.contains is a text`);
  }
  return members;
}

function textOf(check: Members, name: string, place: string): string {
  const text = check[name];
  if (typeof text === 'string' && text !== '') return text;
  throw new CheckError(`${place}.${name} is a text, and has to be there`);
}

function membersOf(value: unknown, place: string, known?: readonly string[]): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckError(`${place} is no object`);
  }
  const unknown = Object.keys(value).find((name) => known?.includes(name) === false);
  if (unknown === undefined) return value as Members;
  throw new CheckError(
    `${place} has a member ${JSON.stringify(unknown.slice(0, 60))}; there are ${known?.join(', ')}`,
  );
}

/** The calls of a recording as checks, with what came of them as what is expected. */
export interface RecordedChecks {
  readonly checks: readonly Check[];
  /** Calls of tools of which too little is known: in flight, failed, cut, or with a secret. */
  readonly leftOut: number;
}

/**
 * Makes checks of the calls of tools in a recording: each has to be answered as it was. What was called
 * several times is one check, by its last answer.
 */
export function checksOf(lines: Iterable<RecordedLine>): RecordedChecks {
  const begun = new Map<number, CallLine>();
  const checks = new Map<string, Check>();
  let [calls, ended] = [0, 0];
  for (const line of lines) {
    if (line.type === 'call' && line.method === 'tools/call') {
      begun.set(line.call, line);
      calls++;
    }
    const call = line.type === 'end' ? begun.get(line.call) : undefined;
    if (call === undefined || line.type !== 'end') continue;
    begun.delete(line.call);
    const check = checkOf(call, line);
    if (check === undefined) continue;
    ended++;
    const { server, tool, arguments: args } = check;
    checks.set(JSON.stringify([server, tool, args]), check);
  }
  return { checks: [...checks.values()], leftOut: calls - ended };
}

function checkOf(
  { server, name, arguments: args }: CallLine,
  { outcome, result, error }: EndLine,
): Check | undefined {
  if (name === undefined || isCut(args) || isCut(result)) return undefined;
  if (outcome === 'error' && error?.certainty !== 'answered') return undefined;
  // A secret that was masked would be sent, or expected, as it is shown.
  if (JSON.stringify([args, result]).includes('***')) return undefined;
  return {
    server,
    tool: name,
    ...(args !== undefined && { arguments: args as Members }),
    expect: outcome === 'result' ? expectationOf(result) : { error: true },
  };
}
