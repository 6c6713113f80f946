import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { WriteQueue } from '../../../src/channels/stdio/write-queue.ts';
import { TrafficCounts } from '../../../src/http/traffic-counts.ts';
import { ConnectionLostError } from '../../../src/errors.ts';

type Taken = (error?: Error) => void;

/** A write queue whose pipe takes nothing until the test says so. */
function createStuck() {
  const writes: { text: string; taken: Taken }[] = [];
  const pipe = new Writable({
    decodeStrings: false,
    write: (text: string, _encoding, taken) => void writes.push({ text, taken }),
  });
  // Whoever has the pipe listens.
  pipe.on('error', () => {});
  const queue = new WriteQueue(pipe, new TrafficCounts());
  const onWire: number[] = [];
  const outcomes: unknown[] = [];
  const send = (id: number, text = String(id)): void => {
    queue.send({ text, requestId: id, onWire: () => onWire.push(id) }).then(
      () => (outcomes[id] = 'sent'),
      (error: unknown) => (outcomes[id] = error),
    );
  };
  return { queue, writes, onWire, outcomes, send };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('writes all queued lines at once, when the pipe has taken the last write', async () => {
  const { writes, onWire, outcomes, send } = createStuck();
  for (const id of [0, 1, 2, 3]) send(id);
  expect(writes.map(({ text }) => text)).toEqual(['0\n']);
  expect(onWire).toEqual([0]);
  writes[0]?.taken();
  await settled();
  expect(writes.map(({ text }) => text)).toEqual(['0\n', '1\n2\n3\n']);
  expect(onWire).toEqual([0, 1, 2, 3]);
  expect(outcomes).toEqual(['sent']);
  writes[1]?.taken();
  await settled();
  expect(outcomes).toEqual(Array(4).fill('sent'));
});

it('limits the size of a write, and writes a larger line alone', async () => {
  const { writes, send } = createStuck();
  const large = 'x'.repeat(40_000);
  const huge = 'x'.repeat(100_000);
  for (const [id, text] of ['first', 'a', large, large, huge, 'b'].entries()) send(id, text);
  for (let i = 0; i < writes.length; i++) {
    writes[i]?.taken();
    await settled();
  }
  expect(writes.map(({ text }) => text)).toEqual(
    ['first', `a\n${large}`, large, huge, 'b'].map((text) => `${text}\n`),
  );
});

it('withdraws queued lines alone', async () => {
  const { queue, writes, outcomes, send } = createStuck();
  for (const id of [0, 1, 2]) send(id);
  expect(queue.withdraw(0)).toBe(false);
  expect(queue.withdraw(1)).toBe(true);
  expect(queue.withdraw(1)).toBe(false);
  expect(queue.withdraw(7)).toBe(false);
  writes[0]?.taken();
  await settled();
  expect(outcomes[1]).toMatchObject({ code: 'closed', certainty: 'not-sent' });
  expect(writes[1]?.text).toBe('2\n');
});

it.each([
  // That the end was refused says that the last line did not get through.
  ['EPIPE', ['outcome-unknown', 'outcome-unknown', 'not-sent']],
  ['ERR_STREAM_DESTROYED', ['outcome-unknown', 'outcome-unknown', 'outcome-unknown']],
])(
  'has the best certainty for the lines of a write that fails with %s',
  async (code, certainties) => {
    const { queue, writes, onWire, outcomes, send } = createStuck();
    for (const id of [0, 1, 2, 3]) send(id);
    writes[0]?.taken();
    await settled();
    send(4);
    writes[1]?.taken(Object.assign(new Error('broke'), { code }));
    await settled();
    expect(outcomes.slice(1)).toMatchObject(
      certainties.map((certainty) => ({ code: 'connection-lost', certainty })),
    );
    expect(onWire).toEqual([0, 1, 2, 3]);
    expect(writes).toHaveLength(2);

    const reason = new ConnectionLostError('it ended', { certainty: 'not-sent' });
    queue.drop(reason);
    await settled();
    expect(outcomes[4]).toBe(reason);
  },
);
