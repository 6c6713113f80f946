import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { using, type Make } from './made.ts';

const TOOLS: ServerEvent = { kind: 'tools_list_changed' };

/** What every event bus does: one in memory at once, one of several nodes after a while. */
export function describeEventBus(name: string, make: Make<ServerEventBus>): void {
  describe(`${name} as an event bus`, () => {
    it('delivers every event to every listener, in order', () =>
      using(make(), async ({ store: bus, advance }) => {
        const heard: [string, string][] = [];
        bus.subscribe((event) => heard.push(['a', event.kind]));
        bus.subscribe((event) => heard.push(['b', event.kind]));
        bus.publish(TOOLS);
        bus.publish({ kind: 'prompts_list_changed' });
        bus.publish({ kind: 'resource_updated', uri: 'file:///a' });
        await advance(100);
        const kinds = ['tools_list_changed', 'prompts_list_changed', 'resource_updated'];
        for (const who of ['a', 'b']) {
          expect(heard.filter(([listener]) => listener === who).map(([, kind]) => kind)).toEqual(
            kinds,
          );
        }
      }));

    it('gives an event as it was published', () =>
      using(make(), async ({ store: bus, advance }) => {
        const heard: ServerEvent[] = [];
        bus.subscribe((event) => heard.push(event));
        bus.publish({ kind: 'resource_updated', uri: 'file:///ä b' });
        await advance(100);
        expect(heard).toEqual([{ kind: 'resource_updated', uri: 'file:///ä b' }]);
      }));

    it('delivers nothing to a listener that has left, however often it leaves', () =>
      using(make(), async ({ store: bus, advance }) => {
        const heard: string[] = [];
        const leave = bus.subscribe(() => heard.push('gone'));
        bus.subscribe(() => heard.push('there'));
        leave();
        leave();
        bus.publish(TOOLS);
        await advance(100);
        expect(heard).toEqual(['there']);
      }));

    it('goes on when a listener throws or leaves while it is told', () =>
      using(make(), async ({ store: bus, advance }) => {
        const heard: string[] = [];
        bus.subscribe(() => {
          throw new Error('a broken listener');
        });
        const leave = bus.subscribe(() => {
          heard.push('once');
          leave();
        });
        bus.subscribe(() => heard.push('always'));
        bus.publish(TOOLS);
        bus.publish(TOOLS);
        await advance(100);
        expect(heard.filter((word) => word === 'once')).toHaveLength(1);
        expect(heard.filter((word) => word === 'always')).toHaveLength(2);
      }));
  });
}
