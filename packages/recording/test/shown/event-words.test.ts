import { expect, it } from 'vitest';
import { summaryOf } from '../../src/shown.ts';

it('says in a line what a server said, as far as that is kept', () => {
  const said = (params?: object): string => {
    const event = { type: 'notification', at: 1, server: 'one', seq: 1 } as const;
    return summaryOf({ ...event, method: 'notifications/message', ...(params && { params }) });
  };
  expect(said({ level: 'info', logger: 'store', data: 'full' })).toBe('store: full');
  expect(said({ level: 'info', data: { message: 'full', used: 9 } })).toBe('full');
  // The page of a server keeps no texts unless it is asked to.
  expect(said({ level: 'info', logger: 'store' })).toBe('store');
  expect([said({ level: 'info' }), said()]).toEqual(['', '']);
});
