import { createHash } from 'node:crypto';
import type { FirstMethod } from './eras.js';
import type { TransportName } from '../transport-name.js';

/** What was detected for a target: the transport of its server, and the probe that found it. */
export interface Detected {
  transport: TransportName;
  by: FirstMethod | 'stream';
  url: URL;
  /** Another result was preferred, and did not exist. */
  isSecondBest: boolean;
}

/** What a detection depends on. */
export interface Wanted {
  /** The target. */
  url: URL;
  /** The only transport that may be used. */
  transport: TransportName | undefined;
  /** The requests that may be sent by POST, the preferred one first. */
  methods: readonly FirstMethod[];
}

const MAX_REMEMBERED = 1000;

/** By a digest: the query of the URL is part of the key, and may hold a secret. */
const remembered = new Map<string, Detected>();

/** What was detected earlier in this process. */
export function rememberedDetection(wanted: Wanted): Detected | undefined {
  return remembered.get(digestOf(wanted));
}

/** Remembers it for the rest of the process, so that the next connection need not probe. */
export function rememberDetection(wanted: Wanted, { url, ...detected }: Detected): void {
  const [oldest] = remembered.keys();
  if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  const found = new URL(url);
  found.search = '';
  remembered.set(digestOf(wanted), { ...detected, url: found });
}

/** Drops it after a failed handshake: the server may have been replaced by another kind. */
export function forgetDetection(wanted: Wanted): void {
  remembered.delete(digestOf(wanted));
}

function digestOf({ url, transport, methods }: Wanted): string {
  const text = JSON.stringify([url.href, transport, methods]);
  return createHash('sha256').update(text).digest('base64');
}
