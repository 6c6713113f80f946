import type { BegunRequest, EndedRequest, LoggedEvent, SessionRecord } from '@longwire/server';
import { isObject, OTHER_FORM, parseJson, readJson, type Place, type Seals } from '../payloads.js';
import type { KeptMessage } from './log-index.js';

/*
 * What of a session is sealed is bound to the session, and to what is said of it in the open: a message to its place
 * and its first line, a running request to its id, stream and digest. What a session is never named by in
 * Redis, its id, is part of each place.
 */

/** What a message takes in Redis beside its text. */
export const EVENT_BYTES = 96;

/** A running request whose message is longer is kept without it, and is not run again by a next owner. */
const MAX_BEGUN_CHARS = 65_536;

/** Fields and values of a record that is created. Its id is not among them: it is a secret. */
export function recordFields(record: SessionRecord, seals: Seals): string[] {
  const { id, lastActivityAt, ...rest } = record;
  return ['r', seals.seal(JSON.stringify(rest), ['record', id]), 't', String(lastActivityAt)];
}

/** Fields and values of what has changed of the record of a session. */
export function changeFields(id: string, changes: Partial<SessionRecord>, seals: Seals): string[] {
  return Object.entries(changes).flatMap(([name, value]) => {
    if (name === 'lastActivityAt') return ['t', JSON.stringify(value)];
    const text = value === undefined ? '' : JSON.stringify(value);
    return [`c:${name}`, seals.seal(text, ['record', id, name])];
  });
}

/** A record from the fields that are stored of it; `undefined` where one of them cannot be read. */
export function readRecord(
  id: string,
  fields: readonly string[],
  seals: Seals,
): SessionRecord | undefined {
  let created: Record<string, unknown> | undefined;
  const changes: Record<string, unknown> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const [field = '', stored = ''] = [fields[at], fields[at + 1]];
    if (field === 't') {
      changes['lastActivityAt'] = Number(stored);
      continue;
    }
    const name = field.slice(2);
    if (field === 'r') {
      created = readJson(seals, { stored, place: ['record', id], is: isObject });
      if (created === undefined) return undefined;
      continue;
    }
    const text = seals.read(stored, ['record', id, name]);
    if (text === undefined) return undefined;
    changes[name] = text === '' ? undefined : parseJson(text);
  }
  const record: Record<string, unknown> = { ...created, ...changes, id };
  for (const [name, value] of Object.entries(record)) if (value === undefined) delete record[name];
  if (isRecord(record)) return record;
  seals.unreadable('record', OTHER_FORM);
  return undefined;
}

function isRecord(
  value: Record<string, unknown>,
): value is Record<string, unknown> & SessionRecord {
  const { principal, transport, resume, createdAt, lastActivityAt } = value;
  const { initialize, isInitialized, logLevel, subscriptions, headers, network } = value;
  return (
    typeof principal === 'string' &&
    (transport === 'sse' || transport === 'streamable-http') &&
    Number.isFinite(createdAt) &&
    Number.isFinite(lastActivityAt) &&
    typeof isInitialized === 'boolean' &&
    Array.isArray(subscriptions) &&
    subscriptions.every((uri) => typeof uri === 'string') &&
    [resume, logLevel, network].every((one) => one === undefined || typeof one === 'string') &&
    [initialize, headers].every((one) => one === undefined || isObject(one))
  );
}

/** The field of a request that runs. */
export function begunField(id: BegunRequest['id']): string {
  return `b:${JSON.stringify(id)}`;
}

export function begunText(sessionId: string, request: BegunRequest, seals: Seals): string {
  const { id, digest, stream, message } = request;
  const place = begunPlace(sessionId, JSON.stringify(id), `${stream} ${digest}`);
  const text = message === undefined ? '' : seals.seal(JSON.stringify(message), place);
  return `${stream} ${digest}\n${text.length > MAX_BEGUN_CHARS ? '' : text}`;
}

function begunPlace(sessionId: string, id: string, head: string): Place {
  return ['begun', sessionId, id, head];
}

/** What is kept in the place of a request whose answer is too long to be kept: it must not run again. */
export function endedText({ digest, stream }: BegunRequest, seq: number): string {
  return `${stream} ${digest} ${seq}\n`;
}

/** A request that has begun. */
export interface KnownRequest {
  /** Without its message where that cannot be read: it does not run again then. */
  readonly request: BegunRequest;
  /** The place of its answer, where that is all that is known of it. */
  readonly answeredAt: number | undefined;
}

/** A request from its id as JSON and what is kept of it; `undefined` where that cannot be read. */
export function readBegun(
  sessionId: string,
  { id: idText, text }: { id: string; text: string },
  seals: Seals,
): KnownRequest | undefined {
  const end = text.indexOf('\n');
  const head = text.slice(0, end);
  const [streamText = '', digest = '', seq] = head.split(' ');
  const id = readId(idText);
  const stream = placeOf(streamText);
  const answeredAt = seq === undefined ? undefined : placeOf(seq);
  if (id === undefined || Number.isNaN(stream) || Number.isNaN(answeredAt)) {
    seals.unreadable('begun', OTHER_FORM);
    return undefined;
  }
  const stored = text.slice(end + 1);
  const message =
    stored === ''
      ? undefined
      : readJson(seals, { stored, place: begunPlace(sessionId, idText, head), is: isRequest });
  const request = { id, digest, stream, ...(message !== undefined && { message }) };
  return { request, answeredAt };
}

function isRequest(value: unknown): value is NonNullable<BegunRequest['message']> {
  return isObject(value) && typeof value['method'] === 'string' && 'id' in value;
}

const KINDS: ReadonlyMap<string, 'answer' | 'request' | undefined> = new Map([
  ['n', undefined],
  ['a', 'answer'],
  ['r', 'request'],
]);

/** A message as it is stored: one line of what is known of it, and its text. */
export function messageText(
  sessionId: string,
  { seq, stream, data, about }: LoggedEvent,
  { at, digest = '-', seals }: { at: number; digest?: string | undefined; seals: Seals },
): string {
  const kind = about === undefined ? 'n' : about.kind === 'answer' ? 'a' : 'r';
  const head = `${stream} ${at} ${kind} ${digest} ${about?.id ?? ''}`;
  return `${head}\n${seals.seal(data, ['event', sessionId, seq, head])}`;
}

/** The first line of a message that is stored. */
export interface MessageHead extends KeptMessage {
  readonly about: LoggedEvent['about'];
  /** Of the request that it answers; `-` where that is not known. */
  readonly digest: string;
}

/** What the first line says; `undefined` where it is none. */
export function readHead(seq: number, head: string, bytes: number): MessageHead | undefined {
  const [streamText = '', atText = '', kind = '', digest = '-', ...id] = head.split(' ');
  const [stream, at] = [placeOf(streamText), placeOf(atText)];
  if (!Number.isSafeInteger(seq) || Number.isNaN(stream + at) || !KINDS.has(kind)) return undefined;
  const about = KINDS.get(kind);
  return {
    seq,
    stream,
    at,
    bytes: bytes + EVENT_BYTES,
    isNotification: about === undefined,
    about: about === undefined ? undefined : { kind: about, id: id.join(' ') },
    digest,
  };
}

/** A message of a session; `undefined` where it cannot be read. */
export function readMessage(
  sessionId: string,
  { seq, text }: { seq: number; text: string },
  seals: Seals,
): LoggedEvent | undefined {
  const end = text.indexOf('\n');
  const head = text.slice(0, end);
  const known = readHead(seq, head, 0);
  if (known === undefined) {
    seals.unreadable('event', OTHER_FORM);
    return undefined;
  }
  const data = seals.read(text.slice(end + 1), ['event', sessionId, seq, head]);
  if (data === undefined) return undefined;
  const { stream, about } = known;
  return { seq, stream, data, ...(about !== undefined && { about }) };
}

/** What is published when a message is kept: for whom, its place, and the message. */
export interface PublishedMessage {
  readonly reader: string;
  readonly sessionId: string;
  readonly event: LoggedEvent;
}

/** What was published for a reader at this node; `undefined` where it cannot be read. */
export function readPublished(
  payload: string,
  { node, seals }: { node: string; seals: Seals },
): PublishedMessage | undefined {
  const [, stored, seq, text, stream] = PUBLISHED.exec(payload) ?? [];
  if (stored === undefined || text === undefined) {
    seals.unreadable('reader', OTHER_FORM);
    return undefined;
  }
  const place = ['reader', node, Number(stream)] as const;
  const target = readJson(seals, { stored, place, is: isTarget });
  if (target === undefined) return undefined;
  const [reader, sessionId] = target;
  const event = readMessage(sessionId, { seq: Number(seq), text }, seals);
  return event && { reader, sessionId, event };
}

/** As the script of `append` puts it together; the text begins with its stream. */
const PUBLISHED = /^([^\n]*)\n(\d+) ((\d+) .*)$/s;

function isTarget(value: unknown): value is [reader: string, sessionId: string] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string';
}

/** What was answered, from the heads of the messages that are kept. */
export function answeredBy(heads: readonly MessageHead[]): EndedRequest[] {
  return heads.flatMap(({ about, digest, stream, seq }) => {
    const id = about?.kind === 'answer' && digest !== '-' ? readId(about.id) : undefined;
    return id === undefined ? [] : [{ id, digest, stream, answeredAt: seq }];
  });
}

function readId(text: string): BegunRequest['id'] | undefined {
  const id = parseJson(text);
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

/** A number as we write it; `NaN` for what is none. */
function placeOf(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}
