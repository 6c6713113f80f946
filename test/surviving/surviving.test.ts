import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { afterAll, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { Rig, WAY_NAMES, WAYS } from './cells.ts';
import { comeOf, DISASTERS } from './disasters.ts';
import { measuredTable, survivingPage, type Measured } from './page.ts';

const page = fileURLToPath(new URL('../../docs/surviving.md', import.meta.url));

/** How long the tool writes. `npm run surviving` takes 20 seconds, so that a second is a cut. */
const WRITE_MS = Number(process.env['SURVIVING_MS'] ?? 2_000);

expectNothingLeftOpen();

const measured: Measured[] = [];

it.each(DISASTERS)('$title', { timeout: 300_000 }, async ({ title, strike, expected }) => {
  const ways = WAY_NAMES.filter((way) => expected[way] !== undefined);
  const cells = await Promise.all(
    ways.map(async (way) => {
      await using rig = await Rig.start(WAYS[way], WRITE_MS);
      await strike(rig, WRITE_MS);
      const cell = await rig.end();
      measured.push({ disaster: title, way, cell });
      return [way, cell] as const;
    }),
  );
  const came = cells.map(([way, cell]) => [way, comeOf(cell)]);
  expect(Object.fromEntries(came), JSON.stringify(cells, undefined, 2)).toEqual(
    Object.fromEntries(ways.map((way) => [way, expected[way]])),
  );
});

afterAll(() => {
  if (process.env['SURVIVING_MS'] !== undefined) console.log(measuredTable(measured));
});

it('the page says what must come of each: `npm run surviving` writes it', async () => {
  const config = await prettier.resolveConfig(page);
  const text = await prettier.format(survivingPage(), { ...config, parser: 'markdown' });
  await expect(text).toMatchFileSnapshot(page);
});
