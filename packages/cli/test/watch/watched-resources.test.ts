import type { ClientEvents, LongwireClient } from '@longwire/client';
import { expect, it } from 'vitest';
import { describeContents } from '../../src/watch/describe-contents.ts';
import { WatchedResources } from '../../src/watch/watched-resources.ts';
import { PIXEL } from '../things-server.ts';

/** A client whose reads are answered by hand. */
function fakeClient(): {
  client: LongwireClient;
  reads: string[];
  answer: () => Promise<void>;
  update: (uri: string) => void;
  ready: () => void;
} {
  const reads: string[] = [];
  const waiting: (() => void)[] = [];
  const listeners: Partial<{ [E in keyof ClientEvents]: (event: never) => void }> = {};
  const client = {
    subscribeResource: async () => {},
    on: (event: keyof ClientEvents, listener: (event: never) => void) => {
      listeners[event] = listener;
    },
    readResource: (uri: string) => {
      reads.push(uri);
      return new Promise((resolve) => waiting.push(() => resolve({ contents: [] })));
    },
  };
  return {
    client: client as unknown as LongwireClient,
    reads,
    answer: async () => {
      waiting.shift()?.();
      await new Promise(setImmediate);
    },
    update: (uri) =>
      listeners.notification?.({
        method: 'notifications/resources/updated',
        params: { uri },
      } as never),
    ready: () => listeners.state?.({ name: 'ready' } as never),
  };
}

const options = { limits: {}, onRead: () => {}, onFailure: () => {} };

it('any number of changes during a read are one more read', async () => {
  const { client, reads, answer, update } = fakeClient();
  await new WatchedResources(client, ['a:1', 'a:2'], options).start();
  expect(reads).toEqual(['a:1']);
  for (let count = 0; count < 1000; count++) update('a:1');
  await answer();
  await answer();
  await answer();
  expect(reads).toEqual(['a:1', 'a:2', 'a:1']);
});

it('what nobody watches is not read, and what lies below is, within bounds', async () => {
  const { client, reads, answer, update } = fakeClient();
  await new WatchedResources(client, ['a://b'], options).start();
  update('a://bc');
  update('a://b/c');
  for (let count = 0; count < 1000; count++) update(`a://b/${count}`);
  for (let count = 0; count < 1000; count++) await answer();
  expect(reads.slice(0, 3)).toEqual(['a://b', 'a://b/c', 'a://b/0']);
  expect(reads).toHaveLength(101);
});

it('all is read again when the connection is back', async () => {
  const { client, reads, answer, ready } = fakeClient();
  await new WatchedResources(client, ['a:1'], options).start();
  await answer();
  ready();
  expect(reads).toEqual(['a:1', 'a:1']);
});

it.each([
  [[{ uri: 'a:1', text: 'one' }], 'a:1: one'],
  [[{ uri: 'a:1', text: 'one\ntwo\n' }], 'a:1\n  one\n  two'],
  [[{ uri: 'a:1', text: '\u001b[2Jone' }], 'a:1: one'],
  [[{ uri: 'a:1', blob: PIXEL, mimeType: 'image/png' }], 'a:1: image/png, 70 bytes'],
  [[], 'a:1: empty'],
])('%j is shown as %j', (contents, shown) => {
  expect(describeContents('a:1', contents)).toBe(shown);
});

it('a long text is cut', () => {
  const shown = describeContents('a:1', [{ uri: 'a:1', text: 'line\n'.repeat(100_000) }]);
  expect(shown.split('\n')).toHaveLength(202);
  expect(shown).toContain('… (longwire read prints all of it)');
});
