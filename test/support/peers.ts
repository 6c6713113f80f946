import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { descendantsOf, isRunning, killAtOnce } from './process-tree.ts';

/** A server that nobody here wrote, running as a process of its own on 127.0.0.1. */
export interface Peer extends AsyncDisposable {
  /** Where a client connects to: `http://127.0.0.1:PORT/sse` or `…/mcp`. */
  readonly url: string;
  /** The process that was started; it may have children. */
  readonly pid: number;
  /** Everything written to stdout and stderr so far. */
  output(): string;
  /** Ends the process and all its descendants; resolves when none of them runs any more. */
  stop(): Promise<void>;
}

const startMs = 60_000;

const preload = new URL('./bind-loopback.mjs', import.meta.url).href;
const everything = inPackage('@modelcontextprotocol/server-everything', 'dist/index.js');

/** `@modelcontextprotocol/server-everything`, the protocol's own example server. */
export function startEverything(options: { mode: 'sse' | 'streamableHttp' }): Promise<Peer> {
  const path = options.mode === 'sse' ? '/sse' : '/mcp';
  return startPeer([everything, options.mode], path);
}

/** How supergateway serves: `stateless` starts a child for every request. */
export type SupergatewayOutput = 'sse' | 'stateful' | 'stateless';

/** supergateway, which serves server-everything's stdio mode. Over SSE all clients share one child. */
export function startSupergateway(output: SupergatewayOutput = 'sse'): Promise<Peer> {
  const stdio = [process.execPath, everything, 'stdio'].map((part) => `"${part}"`).join(' ');
  const gateway = inPackage('supergateway', 'dist/index.js');
  const args = [gateway, '--stdio', stdio, '--port', '0'];
  if (output === 'sse') return startPeer(args, '/sse');
  const streamable = ['--outputTransport', 'streamableHttp'];
  const stateful = output === 'stateful' ? ['--stateful'] : [];
  return startPeer([...args, ...streamable, ...stateful], '/mcp');
}

/** How mcp-proxy serves; `stream` speaks the protocols of both eras, unless it is `--no-modern`. */
export type McpProxyOutput = 'sse' | 'stream' | 'legacy stream';

/** The npm package mcp-proxy, which serves server-everything's stdio mode. */
export function startMcpProxy(output: McpProxyOutput = 'sse'): Promise<Peer> {
  const proxy = inPackage('mcp-proxy', 'dist/bin/mcp-proxy.mjs');
  const server = output === 'sse' ? 'sse' : 'stream';
  const modern = output === 'legacy stream' ? ['--no-modern'] : [];
  const options = ['--host', '127.0.0.1', '--port', '0', '--server', server, ...modern, '--'];
  const args = [proxy, ...options, process.execPath, everything, 'stdio'];
  return startPeer(args, output === 'sse' ? '/sse' : '/mcp');
}

/** The command that starts server-everything's stdio mode. */
export function everythingCommand(): { command: string; args: string[] } {
  return { command: process.execPath, args: [everything, 'stdio'] };
}

async function startPeer(args: string[], path: string): Promise<Peer> {
  const child = spawn(process.execPath, ['--import', preload, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, PORT: '0', NODE_OPTIONS: '' },
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));

  try {
    const port = await portOf(child);
    return running(child, `http://127.0.0.1:${port}${path}`, () => output);
  } catch (cause) {
    await stopTree(child);
    throw new Error(`${args.join(' ')} did not start: ${output}`, { cause });
  }
}

/** A peer that was started, and listens. */
export function running(child: ChildProcess, url: string, output: () => string): Peer {
  const stop = (): Promise<void> => stopTree(child);
  return { url, pid: child.pid ?? 0, output, stop, [Symbol.asyncDispose]: stop };
}

/** The first line that a server prints: the port on which it listens. */
export async function firstLine(
  child: ChildProcessWithoutNullStreams,
  output: () => string,
): Promise<string> {
  const lines = createInterface(child.stdout);
  const startedOrNot = new AbortController();
  const { signal } = startedOrNot;
  try {
    return await Promise.race([
      once(lines, 'line', { signal }).then(([line]) => String(line)),
      once(child, 'exit', { signal }).then(() => {
        throw new Error(`it did not start: ${output()}`);
      }),
      delay(startMs, undefined, { signal }).then(() => {
        throw new Error(`it did not listen within ${startMs} ms: ${output()}`);
      }),
    ]);
  } finally {
    startedOrNot.abort();
  }
}

/** The port that the preloaded file reports. */
async function portOf(child: ChildProcess): Promise<number> {
  const startedOrNot = new AbortController();
  const { signal } = startedOrNot;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([message]) => (message as { port: number }).port),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`it ended with exit code ${String(code)}`);
      }),
      delay(startMs, undefined, { signal }).then(() => {
        throw new Error(`it did not listen within ${startMs} ms`);
      }),
    ]);
  } finally {
    startedOrNot.abort();
  }
}

/** Ends a process and all its descendants; resolves when none of them runs any more. */
export async function stopTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const tree = [child.pid, ...descendantsOf(child.pid)];
  tree.forEach(killAtOnce);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  while (tree.some(isRunning)) await delay(10);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

function inPackage(name: string, path: string): string {
  return fileURLToPath(new URL(join('../../node_modules', name, path), import.meta.url));
}
