import type { BegunRequest, SessionRecord } from '@longwire/server';
import { tagOf } from '../keys.js';
import { LogIndex } from './log-index.js';

/** Where the reader of a stream is told of a message. */
export interface Reader {
  readonly channel: string;
  /** For whom, and of which session, as it is published. */
  readonly target: string;
}

/** A session that this node owns, as far as Redis has to know it. */
export class OwnedSession {
  readonly record: SessionRecord;
  readonly fence: number;
  /** What its writes carry. */
  readonly owner: string;
  readonly tag: string;
  /** In which generation of the node's lease it was last seen to be this node's. */
  seenIn: number;
  /** Of the Redis that knows it. */
  epoch: string;
  /** The place of the last message that Redis has. */
  keptSeq = 0;
  /** When the name by which it is resumed was last written. */
  resumeWrittenAt = 0;
  /** Whether somebody was told that it loses messages. */
  isLossy = false;
  /** What has changed of the record, and could not be written. */
  unsaved: Partial<SessionRecord> | undefined;
  recovering: Promise<boolean> | undefined;
  // Made when they are needed: most sessions are idle.
  #index: LogIndex | undefined;
  #begun: Map<string, BegunRequest> | undefined;
  #readers: Map<number, Reader> | undefined;

  constructor(
    record: SessionRecord,
    {
      node,
      fence,
      generation,
      epoch,
    }: { node: string; fence: number; generation: number; epoch: string },
  ) {
    this.record = record;
    this.fence = fence;
    this.owner = `${node} ${fence}`;
    this.tag = tagOf(record.id);
    this.seenIn = generation;
    this.epoch = epoch;
  }

  get id(): string {
    return this.record.id;
  }

  /** What it said; missing where it said nothing. */
  get index(): LogIndex | undefined {
    return this.#index;
  }

  set index(index: LogIndex | undefined) {
    this.#index = index;
  }

  /** Requests that run, by id as JSON. */
  get begun(): ReadonlyMap<string, BegunRequest> {
    return this.#begun ?? NONE;
  }

  noteBegun(request: BegunRequest): void {
    (this.#begun ??= new Map()).set(JSON.stringify(request.id), request);
  }

  noteEnded(id: string): void {
    this.#begun?.delete(id);
    if (this.#begun?.size === 0) this.#begun = undefined;
  }

  readerOf(stream: number): Reader | undefined {
    return this.#readers?.get(stream);
  }

  setReader(stream: number, reader: Reader | undefined): void {
    if (reader !== undefined) (this.#readers ??= new Map()).set(stream, reader);
    else this.#readers?.delete(stream);
    if (this.#readers?.size === 0) this.#readers = undefined;
  }
}

const NONE: ReadonlyMap<string, BegunRequest> = new Map();
