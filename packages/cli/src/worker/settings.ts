import type { WorkerOptions } from '@longwire/cluster';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { parseDuration } from '../durations.js';

/** The options, as they are written. */
export interface WrittenWorker {
  redis?: string;
  concurrency?: string;
  mount?: string;
  silence?: string;
}

/** What a worker is started with. */
export interface WorkerSettings {
  readonly url: string;
  readonly options: WorkerOptions;
}

/**
 * Reads the options and loads the program.
 *
 * @throws LongwireError (usage) that says what is wrong.
 */
export async function readSettings(
  file: string,
  written: WrittenWorker,
  { env, cwd, redactor }: Pick<Context, 'env' | 'cwd' | 'redactor'>,
): Promise<WorkerSettings> {
  const url = written.redis ?? env['REDIS_URL'];
  if (url === undefined || url === '') {
    throw usageError('which Redis? Give --redis redis://HOST:PORT, or set REDIS_URL');
  }
  if (URL.canParse(url)) redactor.add(decodeURIComponent(new URL(url).password));
  const { concurrency = '1', mount, silence } = written;
  if (!/^[1-9]\d{0,5}$/.test(concurrency)) {
    throw usageError(`--concurrency "${concurrency}" is no count: write a number above 0`);
  }
  const silenceMs = silence === undefined ? undefined : parseDuration(silence, '--silence');
  if (silenceMs !== undefined && silenceMs < 1_000) {
    throw usageError('--silence must be a second or more');
  }
  const { create, queues, redisOptions } = await load(file, cwd);
  if (typeof create !== 'function') {
    throw usageError(`${file} exports no function create, which makes the server of a call`);
  }
  if (typeof queues !== 'object' || queues === null) {
    throw usageError(`${file} exports no queues: those that serve is given, one with worker: true`);
  }
  const options = {
    create,
    queues,
    concurrency: Number(concurrency),
    ...(mount !== undefined && { mount }),
    ...(silenceMs !== undefined && { silenceMs }),
    ...(redisOptions !== undefined && { redis: redisOptions }),
  };
  return { url, options: options as WorkerOptions };
}

async function load(file: string, cwd: string): Promise<Record<string, unknown>> {
  const path = resolve(cwd, file);
  if (!existsSync(path)) throw usageError(`${file} cannot be loaded: there is no such file`);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (cause) {
    const { message } = cause as { message?: unknown };
    throw usageError(`${file} cannot be loaded: ${String(message ?? cause)}`, { cause });
  }
}
