import type { CallPicture, Picture } from '@longwire/recording';
import { askedTaskOf, beginOf, endOf, isNextRound, isOpen, lastOf, taskIdOf } from './spans.js';
import type { CallSpan } from './spans.js';

/** The spans of one server, in rows in which none is over another. */
export interface Lane {
  readonly server: string;
  /** In each row the oldest first. */
  readonly rows: readonly (readonly CallSpan[])[];
}

/** A span, and the row that it stays in. */
interface PlacedSpan extends CallSpan {
  readonly row: PlacedSpan[];
}

/** More calls at once than that are not placed; the counts of the seconds have them. */
const MAX_ROWS = 200;
/** A row waits so long for the next round of a call, or the next question about a task. */
const OPEN_MS = 60_000;

/**
 * Packs the calls of a picture into rows, one lane a server: each into the first row that is free when it
 * begins, where it stays. It keeps what the picture keeps.
 */
export class Lanes {
  readonly #lanes = new Map<string, { server: string; rows: PlacedSpan[][] }>();
  /** By the number of each of their calls. */
  readonly #spans = new Map<number, PlacedSpan>();
  /** By server and task. */
  readonly #tasks = new Map<string, PlacedSpan>();
  /** Calls that began a task or not, which is known when they end. */
  readonly #unended = new Set<CallPicture>();
  #seen = new WeakSet<CallPicture>();
  #picture: Picture | undefined;
  #oldest: CallPicture | undefined;
  #unplaced = 0;

  /** How many calls found no row. */
  get unplaced(): number {
    return this.#unplaced;
  }

  /** The lane of a server; without rows before its first call. */
  lane(server: string): Lane {
    return this.#lanes.get(server) ?? { server, rows: [] };
  }

  /** The span that a call is in. */
  find(call: number): CallSpan | undefined {
    return this.#spans.get(call);
  }

  /** Takes what came since the last time. */
  update(picture: Picture): void {
    if (picture !== this.#picture) this.#begin(picture);
    this.#forget(picture);
    const fresh = [...picture.inFlight].filter((call) => !this.#seen.has(call));
    for (let index = picture.ended.length - 1; index >= 0; index--) {
      const call = picture.ended[index] as CallPicture;
      // Those before it were ended when it was seen, or are in flight no more and were seen then.
      if (this.#seen.has(call) && !this.#unended.has(call)) break;
      if (this.#seen.has(call)) this.#end(call);
      else fresh.push(call);
    }
    fresh.sort((a, b) => a.at - b.at || a.call - b.call);
    for (const call of fresh) this.#add(call);
  }

  #begin(picture: Picture): void {
    this.#picture = picture;
    this.#oldest = undefined;
    this.#unplaced = 0;
    this.#seen = new WeakSet();
    for (const known of [this.#lanes, this.#spans, this.#tasks, this.#unended]) known.clear();
  }

  /** Lets go of what the picture keeps no more. */
  #forget({ ended }: Picture): void {
    const oldest = ended[0];
    if (oldest === this.#oldest || oldest === undefined) return;
    this.#oldest = oldest;
    const until = oldest.end?.at ?? oldest.at;
    const isGone = (span: PlacedSpan): boolean =>
      span.calls.every(({ end }) => end !== undefined && end.at < until);
    for (const { rows } of this.#lanes.values()) {
      for (const row of rows) {
        const kept = row.findIndex((span) => !isGone(span));
        for (const span of row.splice(0, kept === -1 ? row.length : kept)) this.#drop(span);
      }
    }
  }

  #drop(span: PlacedSpan): void {
    for (const call of span.calls) {
      this.#spans.delete(call.call);
      const task = taskIdOf(call);
      if (task !== undefined) this.#tasks.delete(keyOf(call.server, task));
    }
  }

  #add(call: CallPicture): void {
    this.#seen.add(call);
    this.#replace(this.#spans.get(call.call));
    const before = this.#spanBefore(call);
    if (before !== undefined && before.row.at(-1) === before) {
      before.calls.push(call);
      this.#spans.set(call.call, before);
    } else this.#place(call);
    if (call.end === undefined) this.#unended.add(call);
    else this.#end(call);
  }

  /** In a recording that was gone on with, a call in flight gives its number to another one. */
  #replace(former: PlacedSpan | undefined): void {
    if (former === undefined) return;
    for (const call of former.calls) this.#unended.delete(call);
    former.row.splice(former.row.indexOf(former), 1);
    this.#drop(former);
  }

  /** The span of which a call is a part. */
  #spanBefore(call: CallPicture): PlacedSpan | undefined {
    const task = askedTaskOf(call);
    if (task !== undefined) return this.#tasks.get(keyOf(call.server, task));
    const { by } = call;
    const span = by !== undefined && 'call' in by ? this.#spans.get(by.call) : undefined;
    return span !== undefined && isNextRound(call, lastOf(span)) ? span : undefined;
  }

  #place(call: CallPicture): void {
    const { server } = call;
    let lane = this.#lanes.get(server);
    if (lane === undefined) this.#lanes.set(server, (lane = { server, rows: [] }));
    let row = lane.rows.find((one) => isFree(one.at(-1), call.at));
    if (row === undefined) {
      if (lane.rows.length >= MAX_ROWS) {
        this.#unplaced++;
        return;
      }
      lane.rows.push((row = []));
    }
    const span: PlacedSpan = { server, calls: [call], row };
    row.push(span);
    this.#spans.set(call.call, span);
  }

  #end(call: CallPicture): void {
    this.#unended.delete(call);
    const task = taskIdOf(call);
    const span = this.#spans.get(call.call);
    if (task === undefined || span === undefined || askedTaskOf(call) !== undefined) return;
    this.#tasks.set(keyOf(call.server, task), span);
  }
}

function keyOf(server: string, task: string): string {
  return JSON.stringify([server, task]);
}

function isFree(last: CallSpan | undefined, at: number): boolean {
  if (last === undefined) return true;
  const end = endOf(last, Infinity);
  return end <= at && (!isOpen(last) || end + OPEN_MS <= at);
}

/** The spans of a row that are within a time, as a part of it. */
export function spansWithin(
  row: readonly CallSpan[],
  { from, to }: { readonly from: number; readonly to: number },
  now: number,
): readonly CallSpan[] {
  const first = firstIndex(row, (span) => endOf(span, now) >= from);
  const end = firstIndex(row, (span) => beginOf(span) > to);
  return row.slice(first, Math.max(first, end));
}

/** The first of a sorted list for which this holds; its length, if there is none. */
export function firstIndex<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
