import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventLog, LoggedEvent } from '../../src/events/event-log.ts';
import type { EventLogOptions } from '../../src/events/memory-event-log.ts';
import { using, type Make } from './made.ts';

function notification(seq: number, stream = 0, data = `{"n":${seq}}`): LoggedEvent {
  return { seq, stream, data };
}

function answer(seq: number, stream = 0, data = `{"n":${seq}}`): LoggedEvent {
  return { seq, stream, data, about: { kind: 'answer', id: String(seq) } };
}

const seqs = ({ events }: { readonly events: readonly LoggedEvent[] }): number[] =>
  events.map(({ seq }) => seq);

/** What every log of events does. */
export function describeEventLog(
  name: string,
  make: Make<EventLog, EventLogOptions>,
  { runs = 300 }: { readonly runs?: number } = {},
): void {
  describe(`${name} as a log of events`, () => {
    it('gives what came after a place, oldest first, as it was', () =>
      using(make({}), async ({ store: log }) => {
        const events = [
          notification(1),
          answer(2, 7, '{"text":"ä\u2028🙂"}'),
          { seq: 3, stream: 0, data: '{}', about: { kind: 'request', id: '"a"' } } as const,
          notification(4, 7),
        ];
        for (const event of events) await log.append('a', event);
        expect(await log.readAfter('a', 0)).toEqual({ events, isComplete: true });
        expect(await log.readAfter('a', 2)).toEqual({ events: events.slice(2), isComplete: true });
        expect(await log.readAfter('a', 4)).toEqual({ events: [], isComplete: true });
        expect(seqs(await log.readAfter('a', 0, 7))).toEqual([2, 4]);
        expect(seqs(await log.readAfter('a', 2, 0))).toEqual([3]);
      }));

    it('does in order what is asked without waiting', () =>
      using(make({}), async ({ store: log }) => {
        const answers = [answer(1), answer(2), answer(3)];
        const appended = answers.map((event) => log.append('a', event));
        expect(seqs(await log.readAfter('a', 0))).toEqual([1, 2, 3]);
        await Promise.all(appended.map(async (kept) => kept));
      }));

    it('keeps sessions apart, and forgets one that is deleted', () =>
      using(make({}), async ({ store: log }) => {
        await log.append('a', answer(1));
        await log.append('b', answer(1));
        expect(log.bytes).toBeGreaterThan(0);
        await log.delete('a');
        expect((await log.readAfter('a', 0)).events).toEqual([]);
        expect(seqs(await log.readAfter('b', 0))).toEqual([1]);
        await log.delete('b');
        await log.delete('b');
        expect(log.bytes).toBe(0);
      }));

    it('says that it is not complete where somebody saw more than it knows', () =>
      using(make({}), async ({ store: log }) => {
        expect(await log.readAfter('never', 0)).toEqual({ events: [], isComplete: true });
        expect(await log.readAfter('never', 5)).toEqual({ events: [], isComplete: false });
      }));

    it('drops the oldest beyond the bytes of a session, notifications before answers', () =>
      using(make({ maxBytes: 4_000 }), async ({ store: log }) => {
        await log.append('a', answer(1, 1, '"'.padEnd(1_000, 'x')));
        for (let seq = 2; seq <= 20; seq++) {
          await log.append('a', notification(seq, 0, '"'.padEnd(500, 'x')));
        }
        const kept = await log.readAfter('a', 0);
        expect(kept.isComplete).toBe(false);
        expect(seqs(kept)[0]).toBe(1);
        expect(seqs(kept).at(-1)).toBe(20);
        expect(log.bytes).toBeLessThanOrEqual(4_000);
        expect(await log.readAfter('a', 0, 1)).toMatchObject({ isComplete: true });
        expect(await log.readAfter('a', 19)).toMatchObject({ isComplete: true });
      }));

    it('does not keep what is longer than it may be, and keeps the rest', () =>
      using(make({ maxBytes: 4_000 }), async ({ store: log }) => {
        await log.append('a', answer(1));
        await log.append('a', answer(2, 1, '"'.padEnd(5_000, 'x')));
        await log.append('a', answer(3));
        expect(await log.readAfter('a', 0)).toMatchObject({ isComplete: false });
        expect(seqs(await log.readAfter('a', 0))).toEqual([1, 3]);
        expect(await log.readAfter('a', 0, 1)).toEqual({ events: [], isComplete: false });
        expect(await log.readAfter('a', 2)).toMatchObject({ isComplete: true });
      }));

    it('lets no session push out the messages of others', () =>
      using(make({ maxBytes: 100_000, maxTotalBytes: 100_000 }), async ({ store: log }) => {
        for (const quiet of ['a', 'b', 'c']) await log.append(quiet, answer(1));
        for (let seq = 1; seq <= 1_000; seq++) {
          await log.append('loud', answer(seq, 0, '"'.padEnd(1_000, 'x')));
          expect(log.bytes).toBeLessThanOrEqual(100_000);
        }
        for (const quiet of ['a', 'b', 'c']) {
          expect(seqs(await log.readAfter(quiet, 0))).toEqual([1]);
        }
        expect(seqs(await log.readAfter('loud', 999))).toEqual([1_000]);
      }));

    it('forgets what is too old, and gives its bytes back without being asked', () =>
      using(make({ maxAgeMs: 1_000 }), async ({ store: log, advance }) => {
        await log.append('a', answer(1));
        await advance(700);
        await log.append('a', notification(2, 5));
        await advance(700);
        expect(await log.readAfter('a', 0)).toMatchObject({ isComplete: false });
        expect(seqs(await log.readAfter('a', 0))).toEqual([2]);
        expect(await log.readAfter('a', 0, 5)).toMatchObject({ isComplete: true });
        await advance(2_000);
        expect(log.bytes).toBe(0);
        expect(await log.readAfter('a', 0)).toEqual({ events: [], isComplete: false });
        expect(await log.readAfter('a', 2)).toEqual({ events: [], isComplete: true });
      }));

    it('knows what it dropped of streams, however many there were', () =>
      using(make({ maxBytes: 2_000 }), async ({ store: log }) => {
        for (let stream = 1; stream <= 500; stream++) await log.append('a', answer(stream, stream));
        for (const stream of [1, 200, 400]) {
          expect(await log.readAfter('a', 0, stream)).toEqual({ events: [], isComplete: false });
        }
        expect(await log.readAfter('a', 0, 500)).toMatchObject({ events: [answer(500, 500)] });
      }));

    it('gives a part of what was sent in order, and says complete for nothing less than all', () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              session: fc.constantFrom('a', 'b', 'c'),
              stream: fc.integer({ min: 0, max: 3 }),
              size: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3_000 })),
              isAnswer: fc.boolean(),
              pause: fc.integer({ min: 0, max: 10 }),
            }),
            { maxLength: 60 },
          ),
          fc.integer({ min: 0, max: 20 }),
          (steps, after) =>
            using(
              make({ maxBytes: 2_500, maxTotalBytes: 5_000, maxAgeMs: 60 }),
              async ({ store: log, advance }) => {
                const sent = new Map<string, LoggedEvent[]>();
                for (const { session, stream, size, isAnswer, pause } of steps) {
                  const events = sent.get(session) ?? [];
                  const seq = events.length + 1;
                  const event = (isAnswer ? answer : notification)(seq, stream, 'x'.repeat(size));
                  await log.append(session, event);
                  sent.set(session, [...events, event]);
                  await advance(pause);
                  expect(log.bytes).toBeLessThanOrEqual(5_000);
                }
                for (const [session, events] of sent) {
                  for (const stream of [undefined, 0, 1, 2, 3]) {
                    const all = events.filter(
                      (event) =>
                        event.seq > after && (stream === undefined || event.stream === stream),
                    );
                    const read = await log.readAfter(session, after, stream);
                    const kept = new Set(seqs(read));
                    expect(read.events).toEqual(all.filter(({ seq }) => kept.has(seq)));
                    expect(read.isComplete).toBe(read.events.length === all.length);
                  }
                  await log.delete(session);
                }
                expect(log.bytes).toBe(0);
              },
            ),
        ),
        { numRuns: runs },
      ));
  });
}
