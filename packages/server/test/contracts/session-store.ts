import { describe, expect, it } from 'vitest';
import type { SessionRecord, SessionStore } from '../../src/sessions/session-store.ts';
import { using, type Make } from './made.ts';

function record(id: string, principal: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    id,
    principal,
    transport: 'sse',
    createdAt: 1_000,
    lastActivityAt: 1_000,
    isInitialized: false,
    subscriptions: [],
    ...more,
  };
}

/** What every store of sessions does. */
export function describeSessionStore(name: string, make: Make<SessionStore>): void {
  describe(`${name} as a store of sessions`, () => {
    it('gives back what was kept, as JSON would', () =>
      using(make(), async ({ store }) => {
        const initialize = {
          jsonrpc: '2.0' as const,
          id: 'a',
          method: 'initialize',
          params: { capabilities: { sampling: {} }, clientInfo: { name: 'ä\u2028', version: '1' } },
        };
        const kept = record('one', 'ada', { resume: 'digest', initialize, logLevel: 'info' });
        await store.create(structuredClone(kept));
        expect(await store.get('one')).toEqual(kept);
        expect(await store.get('two')).toBeUndefined();
      }));

    it('takes no second session of an id', () =>
      using(make(), async ({ store }) => {
        await store.create(record('one', 'ada'));
        await expect((async () => store.create(record('one', 'bob')))()).rejects.toThrow();
        expect((await store.get('one'))?.principal).toBe('ada');
        expect(await store.count()).toBe(1);
        expect(await store.count('bob')).toBe(0);
      }));

    it('changes what is given and nothing else', () =>
      using(make(), async ({ store }) => {
        await store.create(record('one', 'ada', { logLevel: 'info' }));
        await store.update('one', { lastActivityAt: 2_000, subscriptions: ['file:///a'] });
        await store.update('one', { isInitialized: true });
        expect(await store.get('one')).toEqual(
          record('one', 'ada', {
            logLevel: 'info',
            lastActivityAt: 2_000,
            subscriptions: ['file:///a'],
            isInitialized: true,
          }),
        );
        await store.update('gone', { isInitialized: true });
        expect(await store.get('gone')).toBeUndefined();
        expect(await store.count()).toBe(1);
      }));

    it('finds a session by its resume key for the principal that chose it alone', () =>
      using(make(), async ({ store }) => {
        await store.create(record('one', 'ada', { resume: 'digest' }));
        await store.create(record('two', 'bob', { resume: 'digest' }));
        await store.create(record('three', 'cem'));
        expect((await store.findByResume('ada', 'digest'))?.id).toBe('one');
        expect((await store.findByResume('bob', 'digest'))?.id).toBe('two');
        expect(await store.findByResume('cem', 'digest')).toBeUndefined();
        expect(await store.findByResume('ada', 'other')).toBeUndefined();
        await store.delete('one');
        expect(await store.findByResume('ada', 'digest')).toBeUndefined();
        expect((await store.findByResume('bob', 'digest'))?.id).toBe('two');
      }));

    it('tells principals apart whatever their names are', () =>
      using(make(), async ({ store }) => {
        await store.create(record('one', 'a:b', { resume: 'a' }));
        expect(await store.findByResume('b', 'a')).toBeUndefined();
        expect(await store.count('constructor')).toBe(0);
        await store.create(record('two', '__proto__', { resume: 'a' }));
        expect(await store.count('__proto__')).toBe(1);
        expect((await store.findByResume('__proto__', 'a'))?.id).toBe('two');
      }));

    it('gives a resume key to the session that took it last', () =>
      using(make(), async ({ store }) => {
        await store.create(record('old', 'ada', { resume: 'digest' }));
        await store.create(record('new', 'ada', { resume: 'digest' }));
        expect((await store.findByResume('ada', 'digest'))?.id).toBe('new');
        await store.delete('old');
        expect((await store.findByResume('ada', 'digest'))?.id).toBe('new');
        await store.delete('new');
        expect(await store.findByResume('ada', 'digest')).toBeUndefined();
      }));

    it('counts the sessions of a principal and of all', () =>
      using(make(), async ({ store }) => {
        await store.create(record('one', 'ada'));
        await store.create(record('two', 'ada'));
        await store.create(record('three', 'bob'));
        expect([await store.count(), await store.count('ada'), await store.count('cem')]).toEqual([
          3, 2, 0,
        ]);
        await store.delete('one');
        await store.delete('one');
        await store.delete('nothing');
        expect([await store.count(), await store.count('ada'), await store.count('bob')]).toEqual([
          2, 1, 1,
        ]);
      }));
  });
}
