import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryOf, tellWhatIsMissing } from '../interop/support/missing.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';
import { prepare, textOf, type Prepared } from '../support/user-cache.ts';
import { startProgram, type Program } from './program.ts';
import { hasPrometheus, startPrometheus, type Prometheus } from './prometheus.ts';

const BOARD = pathOf('../../docs/grafana/longwire.json');
const ALERTS = pathOf('../../docs/grafana/alerts.yml');

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Board {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; definition?: string }[] };
}

const board = JSON.parse(readFileSync(BOARD, 'utf8')) as Board;
const queries = board.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => [`${title}: ${legendFormat}`, expr] as const),
);

const reader = await prepare({
  name: 'board-reader',
  sources: await textOf(pathOf('board-reader')),
  needs: [['go', 'version']],
  make: (directory, run) =>
    run('go', ['build', '-buildvcs=false', '-o', join(directory, 'reader'), '.'], {
      cwd: pathOf('board-reader'),
    }),
});
tellWhatIsMissing(reader);

describe.skipIf('missing' in reader)('the board', () => {
  it('is one by the model of Grafana, which leaves nothing of it out', async () => {
    expect(await readByGrafana(board)).toMatchObject(board);
    const wrong = structuredClone(board) as unknown as { panels: { targetz: unknown }[] };
    wrong.panels[1] = { ...wrong.panels[1], targetz: [] };
    expect(await readByGrafana(wrong)).not.toMatchObject(wrong);
  });
});

const prometheus: Prepared = hasPrometheus()
  ? { directory: '' }
  : { missing: 'there is no prometheus here' };
tellWhatIsMissing(prometheus);

describe.skipIf('missing' in prometheus)('with Prometheus', () => {
  let program: Program;
  let running: Prometheus;

  beforeAll(async () => {
    program = await startProgram();
    running = await startPrometheus([program.clients, program.server]);
  });
  afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
    await program?.[Symbol.asyncDispose]();
  });

  it.each(queries)('the board shows %s', async (_title, expression) => {
    expect(queries.length).toBeGreaterThan(20);
    const asked = expression.replaceAll('$server', '.*').replaceAll('$__rate_interval', '5s');
    await until(async () => {
      const series = await running.query(asked);
      // Of what is not called now there is no quantile.
      expect(series.some(({ value: [, value] }) => value !== 'NaN')).toBe(true);
    });
  });

  it('the servers to choose from are those that are called', async () => {
    const { definition = '' } = board.templating.list.find(({ name }) => name === 'server') ?? {};
    const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
    expect(await running.labelValues(label, metric)).toEqual(['everything', 'market', 'pool']);
  });

  it('a call that may have run is told apart, and the server that was away is back', async () => {
    const lost =
      'mcp_client_operation_duration_seconds_count{longwire_certainty="outcome-unknown"}';
    await until(async () => {
      const [series] = await running.query(lost);
      expect(series?.metric).toMatchObject({
        server_service_name: 'market',
        gen_ai_tool_name: 'buy',
        // Where it could be resumed, it has waited for that.
        error_type: expect.stringMatching(/^(connection-lost|timeout)$/),
      });
      const up = await running.query('longwire_client_up');
      expect(up.map(({ metric, value }) => [metric['server_service_name'], value[1]])).toEqual(
        expect.arrayContaining([
          ['everything', '1'],
          ['market', '1'],
        ]),
      );
    });
  });

  it('promtool has nothing against what either of them says', async () => {
    for (const address of [program.clients, program.server]) {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      expect(text).toMatch(/^mcp_(client|server)_operation_duration_seconds_count\{/m);
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
      });
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
    }
  });

  it('the alerts are rules, and go off when they should', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'longwire-alerts-'));
    const test = join(directory, 'alerts.test.yml');
    const text = readFileSync(pathOf('alerts.test.yml'), 'utf8');
    await writeFile(test, text.replace('RULES', ALERTS));
    for (const args of [
      ['check', 'rules', ALERTS],
      ['test', 'rules', test],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
    }
    await removeFolder(directory);
  });
});

/** What Grafana's model makes of a board. */
function readByGrafana(written: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      join(directoryOf(reader), 'reader'),
      { maxBuffer: 16 * 1024 * 1024 },
      (error, stdout) => (error === null ? resolve(JSON.parse(stdout)) : reject(error)),
    );
    child.stdin?.end(JSON.stringify(written));
  });
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
