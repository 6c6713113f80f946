import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeFolder } from '../support/remove-folder.ts';
import { until } from '../support/until.ts';

/** Whether Prometheus and its `promtool` are installed. */
export function hasPrometheus(): boolean {
  return ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0);
}

/** One series of what a query gives. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** Prometheus, which reads some addresses. */
export interface Prometheus extends AsyncDisposable {
  /** What a query gives now. */
  query(expression: string): Promise<readonly Series[]>;
  /** The values of a label. */
  labelValues(label: string, of: string): Promise<readonly string[]>;
}

/** Starts Prometheus in a directory of its own. It reads `/metrics` of these addresses all the time. */
export async function startPrometheus(addresses: readonly string[]): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-prometheus-'));
  const port = await freePort();
  const config = {
    global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
    scrape_configs: [{ job_name: 'longwire', static_configs: [{ targets: addresses }] }],
  };
  // JSON is YAML.
  await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const args = [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ];
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus did not start: ${said}`);
    return (await fetch(`${origin}/-/ready`)).ok;
  });
  const ask = async <Data>(path: string, params: Record<string, string>): Promise<Data> => {
    const answer = await fetch(`${origin}/api/v1/${path}?${new URLSearchParams(params)}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      data: Data;
      error?: string;
    };
    if (status !== 'success') throw new Error(`${JSON.stringify(params)}: ${error}`);
    return data;
  };
  return {
    query: async (query) => (await ask<{ result: Series[] }>('query', { query })).result,
    labelValues: (label, of) => ask<string[]>(`label/${label}/values`, { 'match[]': of }),
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await removeFolder(directory);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
