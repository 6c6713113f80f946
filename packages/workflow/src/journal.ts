import { LongwireError, toJson } from '@longwire/client';
import { parseExactJson } from '@longwire/client/internal';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { Run, StepRecord } from './run.js';

/** A run with its steps, as they are stored. */
export interface JournalEntry {
  run: Run;
  steps: readonly StepRecord[];
}

/** What a journal holds at the start. */
export interface JournalState {
  /** The unfinished runs, in order. */
  unfinished: readonly JournalEntry[];
  /** Keys that were taken once, and until when (milliseconds since 1970) they count. */
  seen: readonly (readonly [key: string, until: number])[];
  lastSeq: number;
}

type Operation = { type: 'put'; key: string; value: unknown } | { type: 'del'; key: string };

/** Values are stored exactly, integers beyond 2^53 included. */
const EXACT_JSON = {
  name: 'exact-json',
  format: 'utf8',
  encode: (value: unknown): string => toJson(value),
  decode: (text: string): unknown =>
    parseExactJson(text, { maxJsonDepth: Infinity, maxJsonValues: Infinity }),
} as const;

/** How many finished runs are kept. */
const maxFinished = 10_000;

/** For how long finished runs are kept. */
const maxAgeMs = 7 * 24 * 3_600_000;

/** After how many more finished runs the oldest are removed. */
const pruneEvery = 500;

/**
 * Runs and steps on disk, so that the next process can resume them after a crash. Its keys are
 * `run!<number>`, `step!<number>!<path>` and `seen!<key>`.
 */
export class Journal {
  readonly #db: ClassicLevel<string, unknown>;
  readonly #directory: string;
  /** The numbers of the finished runs, the oldest first. */
  #finished: number[] = [];
  #isPruning = false;

  private constructor(db: ClassicLevel<string, unknown>, directory: string) {
    this.#db = db;
    this.#directory = directory;
  }

  /**
   * Opens the journal in a directory, which is created if it is missing. It holds data of events and
   * tools, so only its owner may read it.
   *
   * @throws LongwireError `config` if it cannot be opened, for example because another process uses
   * it, or if the directory holds other files.
   */
  static async open(directory: string): Promise<Journal> {
    const ClassicLevel = await loadDatabase(directory);
    await makePrivate(directory);
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
   * Reads the journal, and removes what is too old.
   *
   * @throws LongwireError `config` for data that no workflow has written.
   */
  async load(): Promise<JournalState> {
    try {
      return await this.#load();
    } catch (error) {
      if (error instanceof LongwireError) throw error;
      throw journalError(this.#directory, (error as Error).message, { cause: error });
    }
  }

  async #load(): Promise<JournalState> {
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

  /** Writes runs that are taken or superseded, and the keys of their events, in one batch. */
  async take(runs: readonly Run[], seen: readonly (readonly [string, number])[]): Promise<void> {
    const operations: Operation[] = [
      ...runs.map((run) => ({ type: 'put' as const, key: runKey(run.seq), value: run })),
      ...seen.map(([key, until]) => ({ type: 'put' as const, key: `seen!${key}`, value: until })),
    ];
    if (operations.length > 0) await this.#db.batch(operations, { sync: true });
    for (const { seq, outcome } of runs) if (outcome !== undefined) this.#finished.push(seq);
    await this.#pruneIfDue();
  }

  /** Writes that a run is finished. */
  async finish(run: Run): Promise<void> {
    await this.#db.put(runKey(run.seq), run);
    this.#finished.push(run.seq);
    await this.#pruneIfDue();
  }

  /**
   * Writes the state of a step. A call is on disk before it is made: if the machine fails, its outcome
   * may be unknown, but the call itself is known.
   */
  async step(run: Run, record: StepRecord): Promise<void> {
    const sync = record.state === 'begun';
    await this.#db.put(`step!${padded(run.seq)}!${record.path}`, record, { sync });
  }

  /** Removes keys of events. */
  async removeKeys(keys: readonly string[]): Promise<void> {
    await this.#db.batch(keys.map((key) => ({ type: 'del' as const, key: `seen!${key}` })));
  }

  /** All stored runs, in order. */
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
 * Reads the runs of a journal that no process uses, in order.
 *
 * @throws LongwireError `config` if it cannot be opened.
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

/** The files of a LevelDB. */
const ownFiles = /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/;

/** Creates the directory of a journal, or makes an existing one private. */
async function makePrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const files = await readdir(directory);
    // An older version may have created it readable by others.
    if (files.length === 0 || files.includes('CURRENT')) await chmod(directory, 0o700);
    else throw new Error('it holds other files: name a directory of its own');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is no directory' : message;
    throw journalError(directory, reason, { cause: error });
  }
}

/** The library creates files that all may read; the directory would not protect a copy of one. */
async function closeFiles(directory: string): Promise<void> {
  for (const file of (await readdir(directory)).filter((name) => ownFiles.test(name))) {
    // The library may have deleted it meanwhile.
    await chmod(join(directory, file), 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

/** It has binaries, and a program without a journal does not install it. */
async function loadDatabase(directory: string): Promise<typeof ClassicLevel> {
  try {
    return (await import('classic-level')).ClassicLevel;
  } catch (cause) {
    throw journalError(directory, 'it needs the package classic-level, which cannot be loaded', {
      hint: 'npm install classic-level',
      cause,
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

/** Keys that begin with this; it ends with `!`, which `"` follows. */
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
