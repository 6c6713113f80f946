import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import {
  apiKeys,
  type ApiKey,
  type Authenticator,
  type Cluster,
  type MountPage,
} from '@longwire/server';
import { CommandError, usageError } from '../command-error.js';
import type { Context } from '../context.js';
import { loadCluster } from '../load-cluster.js';
import { page } from '../page.js';
import { readPort } from '../ports.js';
import type { Target } from '../target.js';

/** What `longwire serve` is given, as it was written. */
export interface WrittenSettings {
  port?: string;
  host?: string;
  allowedHost?: string[];
  trustProxy?: string[];
  apiKeys?: string;
  maxSessions?: string;
  page?: string[];
  cluster?: string[];
  clusterPrefix?: string;
}

/** How a gateway serves, as the server kit takes it. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly allowedHosts?: string[];
  readonly trustProxy?: string[];
  readonly auth?: Authenticator;
  readonly maxSessions?: number;
  readonly maxSessionsPerAddress?: number;
  readonly page?: MountPage;
  readonly cluster?: Cluster;
}

/** Sessions at a time, where each is a process. */
const MAX_PROCESSES = 100;

/** The most that `--max-sessions` may say. */
const MOST_SESSIONS = 1_000_000;

/**
 * Reads the options of `longwire serve`.
 *
 * @throws LongwireError (usage) that names the wrong one.
 */
export async function readSettings(
  written: WrittenSettings,
  { target, context }: { target: Target; context: Pick<Context, 'cwd' | 'redactor'> },
): Promise<Settings> {
  const { host = '127.0.0.1', allowedHost, trustProxy, apiKeys: file, cluster } = written;
  if (cluster === undefined && written.clusterPrefix !== undefined) {
    throw usageError('--cluster-prefix is for a node of a cluster: give --cluster, too');
  }
  const maxSessions =
    readMaxSessions(written.maxSessions) ??
    (typeof target === 'string' ? undefined : MAX_PROCESSES);
  for (const address of trustProxy ?? []) checkAddress(address);
  const keys = file === undefined ? undefined : readKeys(file, context);
  return {
    port: readPort(written.port) ?? 0,
    host,
    // The kit's own default is left out where there are others.
    ...(allowedHost !== undefined && {
      allowedHosts: ['127.0.0.1', 'localhost', '[::1]', ...allowedHost],
    }),
    ...(trustProxy !== undefined && { trustProxy }),
    ...(keys !== undefined && { auth: keys.auth }),
    ...(maxSessions !== undefined && { maxSessions }),
    ...(written.maxSessions !== undefined &&
      maxSessions !== undefined && { maxSessionsPerAddress: maxSessions }),
    ...(written.page !== undefined && { page: pageFor(written.page, keys?.principals) }),
    ...(cluster !== undefined && {
      cluster: await readCluster(cluster, { ...context, prefix: written.clusterPrefix }),
    }),
  };
}

function readMaxSessions(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const count = /^\d{1,7}$/.test(word) ? Number(word) : 0;
  if (count >= 1 && count <= MOST_SESSIONS) return count;
  throw usageError(`--max-sessions "${word}" is no count: write a number from 1 to 1000000`);
}

/** An address, or a range of them as `10.0.0.0/8`. */
function checkAddress(word: string): void {
  const [address = '', bits, ...more] = word.split('/');
  const most = isIPv4(address) ? 32 : 128;
  const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) !== 0 && isRange && more.length === 0) return;
  throw usageError(
    `--trust-proxy "${word}" is not an address: write that of the proxy, as 10.0.0.7, or a range, as 10.0.0.0/8`,
  );
}

/** The page, for those who may watch. Without keys everybody is `anonymous`. */
function pageFor(
  allowed: readonly string[],
  principals: readonly string[] = ['anonymous'],
): MountPage {
  for (const name of allowed) {
    if (principals.includes(name)) continue;
    const known = principals.slice(0, 8).join(', ');
    throw usageError(`--page "${name}" is nobody who could ask for it: there is ${known}`);
  }
  return page({ allow: ({ id }) => allowed.includes(id) });
}

interface Keys {
  readonly auth: Authenticator;
  readonly principals: readonly string[];
}

/** The keys that clients may have, of which a file has the hashes. */
function readKeys(file: string, { cwd }: Pick<Context, 'cwd'>): Keys {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw usageError(`--api-keys ${file} cannot be read: ${why}`, { cause });
  }
  let keys: readonly ApiKey[];
  try {
    keys = JSON.parse(text) as readonly ApiKey[];
  } catch (cause) {
    throw usageError(
      `--api-keys ${file} is no JSON: write [{ "principal": "ci", "sha256": "…" }], with the SHA-256 of the key in hexadecimal`,
      { cause },
    );
  }
  try {
    return { auth: apiKeys({ keys }), principals: keys.map(({ principal }) => principal) };
  } catch (cause) {
    const why = (cause as Error).message.replace(/^apiKeys\.keys/, 'the list');
    throw usageError(`--api-keys ${file} cannot be used: ${why}`, { cause });
  }
}

/** Where the nodes share what they know. */
async function readCluster(
  urls: readonly string[],
  { prefix, ...context }: Pick<Context, 'cwd' | 'redactor'> & { prefix: string | undefined },
): Promise<Cluster> {
  for (const url of urls) if (URL.canParse(url)) context.redactor.addUrl(new URL(url));
  const { redis } = await loadCluster(context, 'serve --cluster');
  let cluster: Cluster;
  try {
    const options = prefix === undefined ? {} : { prefix };
    cluster = redis(urls.length === 1 ? String(urls[0]) : urls, options);
  } catch (cause) {
    throw usageError((cause as Error).message.replace(/^redis/, '--cluster'), { cause });
  }
  return {
    join: async (joining) => {
      try {
        return await cluster.join(joining);
      } catch (cause) {
        const message = `--cluster: ${(cause as Error).message}`;
        throw new CommandError(message, { code: 'connect-failed', certainty: 'not-sent', cause });
      }
    },
  };
}
