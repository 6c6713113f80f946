import type { BegunRequest, EndedRequest, LoggedEvent, SessionRecord } from '@longwire/server';
import type { KeptMessage } from './log-index.js';

/** What a message takes in Redis beside its text. */
export const EVENT_BYTES = 96;

/** Encrypts and decrypts. */
export interface Seals {
  seal(text: string): string;
  open(sealed: string): string;
}

/** Fields and values of a record that is created. Its id is not among them: it is a secret. */
export function recordFields(record: SessionRecord, seals: Seals): string[] {
  const { id: _, lastActivityAt, ...rest } = record;
  return ['r', seals.seal(JSON.stringify(rest)), 't', String(lastActivityAt)];
}

/** Fields and values of what has changed of a record. */
export function changeFields(changes: Partial<SessionRecord>, seals: Seals): string[] {
  return Object.entries(changes).flatMap(([name, value]) => {
    if (name === 'lastActivityAt') return ['t', JSON.stringify(value)];
    return [`c:${name}`, value === undefined ? '' : seals.seal(JSON.stringify(value))];
  });
}

/** A record from the fields that are stored of it. */
export function readRecord(id: string, fields: readonly string[], seals: Seals): SessionRecord {
  let created: Record<string, unknown> = {};
  const changes: Record<string, unknown> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    if (name === 'r') created = JSON.parse(seals.open(value)) as Record<string, unknown>;
    else if (name === 't') changes['lastActivityAt'] = Number(value);
    else changes[name.slice(2)] = value === '' ? undefined : JSON.parse(seals.open(value));
  }
  const record = { id, ...created, ...changes };
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) delete (record as Record<string, unknown>)[name];
  }
  return record as SessionRecord;
}

/** The field of a request that runs. */
export function begunField(id: BegunRequest['id']): string {
  return `b:${JSON.stringify(id)}`;
}

export function begunText({ digest, stream, message }: BegunRequest, seals: Seals): string {
  const text = message === undefined ? '' : seals.seal(JSON.stringify(message));
  return `${stream} ${digest}\n${text}`;
}

/** What is kept in the place of a request whose answer is too long to be kept: it must not run again. */
export function endedText({ digest, stream }: BegunRequest, seq: number): string {
  return `${stream} ${digest} ${seq}\n`;
}

/** The place of the answer, where that is all that is known of it. */
export function readEndedAt(text: string): number | undefined {
  const [, , seq] = text.slice(0, text.indexOf('\n')).split(' ');
  return seq === undefined ? undefined : Number(seq);
}

export function readBegun(id: string, text: string, seals: Seals): BegunRequest {
  const end = text.indexOf('\n');
  const [stream = '', digest = ''] = text.slice(0, end).split(' ');
  const message = text.slice(end + 1);
  return {
    id: JSON.parse(id) as BegunRequest['id'],
    digest,
    stream: Number(stream),
    ...(message !== '' && {
      message: JSON.parse(seals.open(message)) as NonNullable<BegunRequest['message']>,
    }),
  };
}

const KINDS = { n: undefined, a: 'answer', r: 'request' } as const;

/** A message as it is stored: one line of what is known of it, and its text. */
export function messageText(
  { stream, data, about }: LoggedEvent,
  { at, digest = '-', seal }: Pick<Seals, 'seal'> & { at: number; digest?: string | undefined },
): string {
  const kind = about === undefined ? 'n' : about.kind === 'answer' ? 'a' : 'r';
  return `${stream} ${at} ${kind} ${digest} ${about?.id ?? ''}\n${seal(data)}`;
}

/** The first line of a message that is stored. */
export interface MessageHead extends KeptMessage {
  readonly about: LoggedEvent['about'];
  /** Of the request that it answers; `-` where that is not known. */
  readonly digest: string;
}

export function readHead(seq: number, head: string, bytes: number): MessageHead {
  const [stream = '', at = '', kind = 'n', digest = '-', ...id] = head.split(' ');
  const about = KINDS[kind as keyof typeof KINDS];
  return {
    seq,
    stream: Number(stream),
    at: Number(at),
    bytes: bytes + EVENT_BYTES,
    isNotification: about === undefined,
    about: about === undefined ? undefined : { kind: about, id: id.join(' ') },
    digest,
  };
}

export function readMessage(seq: number, text: string, seals: Pick<Seals, 'open'>): LoggedEvent {
  const end = text.indexOf('\n');
  const { stream, about } = readHead(seq, text.slice(0, end), 0);
  return {
    seq,
    stream,
    data: seals.open(text.slice(end + 1)),
    ...(about !== undefined && { about }),
  };
}

/** What was answered, from the heads of the messages that are kept. */
export function answeredBy(heads: readonly MessageHead[]): EndedRequest[] {
  return heads.flatMap(({ about, digest, stream, seq }) => {
    if (about?.kind !== 'answer' || digest === '-') return [];
    return [{ id: JSON.parse(about.id) as EndedRequest['id'], digest, stream, answeredAt: seq }];
  });
}
