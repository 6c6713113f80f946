import { expect, it } from 'vitest';
import { run } from '../run.ts';

it('says what to use instead where there is no terminal', async () => {
  for (const words of [['--demo'], ['--replay', 'r.ndjson'], ['http://127.0.0.1:1', '--json']]) {
    const { code, stderr } = await run(['top', ...words]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/longwire watch prints lines/)]);
  }
});
