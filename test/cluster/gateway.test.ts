import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { passThrough } from '@longwire/bridge';
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { textOf } from '../interop/kit/support/callers.ts';
import { tellWhatIsMissing } from '../interop/support/missing.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { isRunning } from '../support/process-tree.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { startCli, type CliProcess } from '../support/run-cli.ts';
import { until } from '../support/until.ts';
import { startRedis, whyNoRedis } from './support/redis-server.mjs';
import { startRoundRobin } from './support/round-robin.mjs';

expectNothingLeftOpen();

const missing = await whyNoRedis();
tellWhatIsMissing({ missing });

const tools = fileURLToPath(
  new URL('../../packages/bridge/test/servers/tools.mjs', import.meta.url),
);
const IDENTITY = { name: 'test', version: '0' };
const ANSWER = { action: 'accept' as const, content: { name: 'Ada' } };

const open: AsyncDisposable[] = [];
let journal: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'longwire-gateway-'));
  open.push({ [Symbol.asyncDispose]: () => removeFolder(folder) });
  journal = join(folder, 'journal');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

const notes = async (): Promise<string[]> =>
  (await readFile(journal, 'utf8').catch(() => '')).trim().split('\n');

/** A node: `longwire serve --cluster`. */
interface GatewayNode {
  readonly name: string;
  readonly command: CliProcess;
  origin: string | undefined;
}

interface GatewayCluster {
  readonly url: string;
  readonly nodes: readonly GatewayNode[];
  readonly proxy: Awaited<ReturnType<typeof startRoundRobin>>;
}

/** Three nodes in front of a command, or of a server at a URL that has it. */
async function startGateways(kind: 'stdio' | 'remote'): Promise<GatewayCluster> {
  const keep = <Started extends AsyncDisposable>(started: Started): Started => {
    open.push(started);
    return started;
  };
  const command = { command: process.execPath, args: [tools, journal] };
  const words = ['--', command.command, ...command.args];
  const target =
    kind === 'stdio' ? words : [keep(await serve({ create: passThrough(command) })).url];
  const redis = keep(await startRedis());
  const nodes = await Promise.all(
    [1, 2, 3].map(async (number): Promise<GatewayNode> => {
      const given = ['serve', '--json', '--cluster', redis.url, ...target];
      const started = keep(await startCli(given, { killAfterMs: 300_000 }));
      await started.waitFor(/Ctrl-C ends it/);
      const { url } = JSON.parse(started.stdout()) as { url: string };
      return { name: `node-${number}`, command: started, origin: new URL(url).origin };
    }),
  );
  const proxy = keep(await startRoundRobin(nodes));
  return { url: `${proxy.origin}/mcp`, nodes, proxy };
}

/** What the tests do with a client. */
interface Caller {
  listTools(): Promise<string[]>;
  call(
    name: string,
    args?: object,
    signal?: AbortSignal,
    onProgress?: (progress: number) => void,
  ): Promise<string>;
  close(): Promise<void>;
}

const longwire = async (url: string): Promise<Caller> => {
  const client = await connect(url, { handlers: { elicitation: () => ANSWER } });
  return {
    listTools: async () => (await client.listTools()).map(({ name }) => name),
    call: async (name, args = {}, signal, onProgress) =>
      textOf(
        await client.callTool(
          name,
          { ...args },
          {
            ...(signal && { signal }),
            ...(onProgress && { onProgress: ({ progress }) => onProgress(progress) }),
          },
        ),
      ),
    close: () => client.close(),
  };
};

const sdk2 = async (url: string): Promise<Caller> => {
  const client = new Client2(IDENTITY, { capabilities: { elicitation: {} } });
  client.setRequestHandler('elicitation/create', () => ANSWER);
  await client.connect(new Http2(new URL(url)));
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args = {}, signal, onProgress) =>
      textOf(
        await client.callTool(
          { name, arguments: { ...args } },
          {
            ...(signal && { signal }),
            ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
          },
        ),
      ),
    close: () => client.close(),
  };
};

const sdk1 = async (url: string): Promise<Caller> => {
  const client = new Client1(IDENTITY, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, () => ANSWER);
  // Its declarations do not suit exactOptionalPropertyTypes.
  await client.connect(new Http1(new URL(url)) as unknown as Parameters<Client1['connect']>[0]);
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args = {}, signal, onProgress) =>
      textOf(
        await client.callTool({ name, arguments: { ...args } }, undefined, {
          ...(signal && { signal }),
          ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
        }),
      ),
    close: () => client.close(),
  };
};

const CALLERS = { "Longwire's client": longwire, 'SDK 2.x': sdk2, 'SDK 1.x': sdk1 };

describe.skipIf(missing !== undefined).each(['stdio', 'remote'] as const)(
  'three gateways in front of a %s server, behind a proxy that knows no sessions',
  (kind) => {
    test.each(Object.entries(CALLERS))('serve %s', async (_name, connectTo) => {
      const { url } = await startGateways(kind);
      const caller = await connectTo(url);
      open.push({ [Symbol.asyncDispose]: () => caller.close() });
      expect(await caller.listTools()).toContain('note');
      const words = Array.from({ length: 12 }, (_, index) => `word ${index}`);
      for (const word of words) expect(await caller.call('note', { word })).toBe(word);
      expect(await notes()).toEqual(words);
      // One process answers, whichever node is asked.
      const pids = new Set<string>();
      for (let count = 0; count < 6; count++) pids.add(await caller.call('pid'));
      expect(pids.size).toBe(1);

      expect(JSON.parse(await caller.call('ask'))).toEqual(ANSWER);

      const seen: number[] = [];
      const leaving = new AbortController();
      const hanging = caller.call('hang', {}, leaving.signal, (progress) => seen.push(progress));
      const failed = expect(hanging).rejects.toThrow();
      await until(() => expect(seen).toEqual([1, 2, 3]));
      leaving.abort();
      await failed;
      await until(async () => expect((await notes()).at(-1)).toBe('cancelled'));
    });

    test.each(Object.entries({ "Longwire's client": longwire, 'SDK 2.x': sdk2 }))(
      'where a node is killed, calls of %s end or run again, and its session goes on',
      async (_name, connectTo) => {
        const { url, nodes, proxy } = await startGateways(kind);
        const caller = await connectTo(url);
        open.push({ [Symbol.asyncDispose]: () => caller.close() });
        expect(await caller.listTools()).toContain('wait');
        const before = await caller.call('pid');
        // A session begins on the node that answers its `initialize`.
        const opened = proxy.passed.find(({ session }) => session !== '');
        const owner = nodes.find(({ name }) => name === opened?.node);
        if (owner === undefined) throw new Error('no node has opened the session');
        const seen: number[] = [];
        const unsafe = caller
          .call('hang', {}, undefined, (progress) => seen.push(progress))
          .then(
            () => 'answered',
            (error: unknown) => JSON.stringify(error),
          );
        const safe = caller.call('wait');
        await until(async () => {
          expect(seen).toEqual([1, 2, 3]);
          expect(await notes()).toEqual([`waits ${before}`]);
        });
        owner.origin = undefined;
        owner.command.kill('SIGKILL');
        await owner.command.done;
        expect(await unsafe).toContain('outcome-unknown');
        await until(async () => expect((await notes()).length).toBe(2));
        await writeFile(`${journal}.go`, '');
        const answeredBy = await safe;
        expect(answeredBy).not.toBe(before);
        expect(await notes()).toContain(`waits ${answeredBy}`);
        // Its input has ended with its gateway. A server elsewhere is not told that its client has gone.
        if (kind === 'stdio') await until(() => !isRunning(Number(before)));
        expect(await caller.call('note', { word: 'after' })).toBe('after');
        expect(await caller.call('pid')).toBe(answeredBy);
      },
    );
  },
);
