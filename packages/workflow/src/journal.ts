import { LongwireError, toJson } from '@longwire/client';
import { parseExactJson } from '@longwire/client/untrusted';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Run, StepRecord } from './run.js';

/** A run with its steps, as they are written down. */
export interface JournalEntry {
  run: Run;
  steps: readonly StepRecord[];
}

/** What a journal remembers at the start. */
export interface Recollection {
  /** The runs that are not over, in their order. */
  unfinished: readonly JournalEntry[];
  /** What was taken once, and until when (milliseconds since 1970) that counts. */
  seen: readonly (readonly [key: string, until: number])[];
  lastSeq: number;
}

type Operation = { type: 'put'; key: string; value: unknown } | { type: 'del'; key: string };

/** What is written down is what was said, integers beyond 2^53 included. */
const EXACT_JSON = {
  name: 'exact-json',
  format: 'utf8',
  encode: (value: unknown): string => toJson(value),
  decode: (text: string): unknown =>
    parseExactJson(text, { maxJsonDepth: Infinity, maxJsonValues: Infinity }),
} as const;

/** How many runs that are over are kept. */
const maxFinished = 10_000;

/** For how long they are kept. */
const maxAgeMs = 7 * 24 * 3_600_000;

/** After how many more it is looked whether there are too many. */
const pruneEvery = 500;

/**
 * What happened, on disk, so that a process that comes after a crash knows. Its keys are
 * `run!<number>`, `step!<number>!<path>` and `seen!<key>`.
 */
export class Journal {
  readonly #db: ClassicLevel<string, unknown>;
  readonly #directory: string;
  /** The numbers of the runs that are over, the oldest first. */
  #finished: number[] = [];
  #isPruning = false;

  private constructor(db: ClassicLevel<string, unknown>, directory: string) {
    this.#db = db;
    this.#directory = directory;
  }

  /**
   * Opens the journal in a directory, which is made if it is not there. It holds what events and
   * tools said, so that nobody but its owner may look into it.
   *
   * @throws LongwireError `config` where it cannot be opened, as when another process has it, or
   * where the directory holds other files.
   */
  static async open(directory: string): Promise<Journal> {
    await makePrivate(directory);
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel<string, unknown>(directory, { valueEncoding: EXACT_JSON });
    try {
      await db.open();
    } catch (error) {
      const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
      const isLocked = cause?.code === 'LEVEL_LOCKED';
      const reason = isLocked ? 'another process uses it' : (cause ?? (error as Error)).message;
      throw journalError(directory, reason, {
        ...(isLocked && { hint: 'end that process, or name another directory' }),
        cause: error,
      });
    }
    await closeFiles(directory);
    return new Journal(db, directory);
  }

  /**
   * Reads what there is, and forgets what is too old.
   *
   * @throws LongwireError `config` for what no workflow has written.
   */
  async recollect(): Promise<Recollection> {
    try {
      return await this.#recollect();
    } catch (error) {
      if (error instanceof LongwireError) throw error;
      throw journalError(this.#directory, (error as Error).message, { cause: error });
    }
  }

  async #recollect(): Promise<Recollection> {
    const unfinished: Run[] = [];
    let lastSeq = 0;
    for await (const [key, value] of this.#db.iterator(range('run!'))) {
      const run = this.#runOf(key, value);
      lastSeq = run.seq;
      if (run.outcome === undefined) unfinished.push(run);
      else this.#finished.push(run.seq);
    }
    await this.#prune();
    const entries: JournalEntry[] = [];
    for (const run of unfinished) entries.push({ run, steps: await this.#steps(run.seq) });
    const seen: (readonly [string, number])[] = [];
    const expired: Operation[] = [];
    for await (const [key, value] of this.#db.iterator(range('seen!'))) {
      const until = value as number;
      if (until > Date.now()) seen.push([key.slice('seen!'.length), until]);
      else expired.push({ type: 'del', key });
    }
    if (expired.length > 0) await this.#db.batch(expired);
    return { unfinished: entries, seen, lastSeq };
  }

  /** Writes down runs that are taken or superseded, and by what they are known again; at once. */
  async take(runs: readonly Run[], seen: readonly (readonly [string, number])[]): Promise<void> {
    const operations: Operation[] = [
      ...runs.map((run) => ({ type: 'put' as const, key: runKey(run.seq), value: run })),
      ...seen.map(([key, until]) => ({ type: 'put' as const, key: `seen!${key}`, value: until })),
    ];
    if (operations.length > 0) await this.#db.batch(operations, { sync: true });
    for (const { seq, outcome } of runs) if (outcome !== undefined) this.#finished.push(seq);
    await this.#pruneIfDue();
  }

  /** Writes down that a run is over. */
  async finish(run: Run): Promise<void> {
    await this.#db.put(runKey(run.seq), run);
    this.#finished.push(run.seq);
    await this.#pruneIfDue();
  }

  /**
   * Writes down where a step stands. What is to be called is on disk before it is: whatever else is
   * lost with the machine leaves a call of unknown outcome, and never one that nobody knows of.
   */
  async step(run: Run, record: StepRecord): Promise<void> {
    const sync = record.state === 'begun';
    await this.#db.put(`step!${padded(run.seq)}!${record.path}`, record, { sync });
  }

  /** Forgets by what something is known again. */
  async forget(keys: readonly string[]): Promise<void> {
    await this.#db.batch(keys.map((key) => ({ type: 'del' as const, key: `seen!${key}` })));
  }

  /** All runs that are known, in their order. */
  async *entries(): AsyncGenerator<JournalEntry> {
    for await (const [key, value] of this.#db.iterator(range('run!'))) {
      const run = this.#runOf(key, value);
      yield { run, steps: await this.#steps(run.seq) };
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  #runOf(key: string, value: unknown): Run {
    const { seq, id, trigger, event, chain } = (value ?? {}) as Partial<Run>;
    const isRun =
      Number.isSafeInteger(seq) &&
      key === runKey(seq as number) &&
      typeof id === 'string' &&
      typeof trigger === 'string' &&
      typeof event === 'object' &&
      event !== null &&
      chain !== undefined;
    if (!isRun) throw journalError(this.#directory, `what it has under ${key} is no run`);
    return value as Run;
  }

  async #steps(seq: number): Promise<StepRecord[]> {
    const values = await this.#db.values(range(`step!${padded(seq)}!`)).all();
    return values as StepRecord[];
  }

  async #pruneIfDue(): Promise<void> {
    if (this.#isPruning || this.#finished.length < maxFinished + pruneEvery) return;
    this.#isPruning = true;
    await this.#prune().finally(() => {
      this.#isPruning = false;
    });
  }

  async #prune(): Promise<void> {
    const oldest = Date.now() - maxAgeMs;
    while (this.#finished[0] !== undefined) {
      const [seq] = this.#finished;
      if (this.#finished.length <= maxFinished) {
        const run = (await this.#db.get(runKey(seq))) as Run | undefined;
        if (run?.finishedAt !== undefined && Date.parse(run.finishedAt) > oldest) return;
      }
      this.#finished.shift();
      await this.#db.clear(range(`step!${padded(seq)}!`));
      await this.#db.del(runKey(seq));
    }
  }
}

/**
 * Reads the runs of a journal that no process uses, in their order.
 *
 * @throws LongwireError `config` where it cannot be opened.
 */
export async function readJournal(directory: string): Promise<JournalEntry[]> {
  const journal = await Journal.open(directory);
  try {
    const entries: JournalEntry[] = [];
    for await (const entry of journal.entries()) entries.push(entry);
    return entries;
  } finally {
    await journal.close();
  }
}

/** What a LevelDB consists of. */
const ownFiles = /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/;

/** Makes the directory of a journal, or closes to others the one that is there. */
async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const files = await readdir(directory);
    // It was never closed to others if a version made it that did not care.
    if (files.length === 0 || files.includes('CURRENT')) await chmod(directory, 0o700);
    else throw new Error('it holds other files: name a directory of its own');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is no directory' : message;
    throw journalError(directory, reason, { cause: error });
  }
}

/** The library makes files that all may read; a copy of one would be out of the directory's care. */
async function closeFiles(directory: string): Promise<void> {
  for (const file of (await readdir(directory)).filter((name) => ownFiles.test(name))) {
    // What the library has done with since is gone.
    await chmod(join(directory, file), 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

function journalError(
  directory: string,
  reason: string,
  options: { hint?: string; cause?: unknown } = {},
): LongwireError {
  return new LongwireError(`the journal ${directory} could not be opened: ${reason}`, {
    code: 'config',
    certainty: 'not-sent',
    ...options,
  });
}

/** Keys that begin like this; it ends with `!`, after which comes `"`. */
function range(prefix: `${string}!`): { gte: string; lt: string } {
  return { gte: prefix, lt: `${prefix.slice(0, -1)}"` };
}

function runKey(seq: number): string {
  return `run!${padded(seq)}`;
}

/** So that the order of keys is that of numbers. */
function padded(seq: number): string {
  return String(seq).padStart(16, '0');
}
