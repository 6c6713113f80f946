import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@longwire/client';
import type { Watched } from './block-watch.ts';
import { endWithUs } from './children.ts';
import type { CommandLine } from './fuzz-case.ts';
import { DEADLINE_MS, SLACK_MS, TIMEOUT_MS } from './limits.ts';
import { waitPatiently } from './patience.ts';
import type { CaseReport, Vitals } from './report.ts';

/** Connecting, one or two operations, and a good ending; it has to start, too. */
const RUN_MS = TIMEOUT_MS + 3 * DEADLINE_MS + 1500 + 2 * SLACK_MS;
/** For how long one watches until it is interrupted. */
const WATCH_MS = 1500;
/** More than any answer of the servers, as the command writes it. */
const MAX_OUTPUT = 64 * 2 ** 20;

const COMMAND = new URL('../../../../packages/cli/dist/bin.js', import.meta.url);
const WATCH = new URL('watch-command.js', import.meta.url);

/** Runs the command against a server, to its end. */
export async function runCommand(
  commandLine: CommandLine,
  target: string | CommandTarget,
): Promise<CaseReport> {
  const isUrl = typeof target === 'string';
  const limits = ['--timeout', `${TIMEOUT_MS}ms`, '--deadline', `${DEADLINE_MS}ms`];
  const process_ = isUrl ? [] : ['--', target.command, ...(target.args ?? [])];
  const args = [...commandLine, ...limits, ...process_];
  const child = spawn(process.execPath, ['--import', WATCH.href, fileURLToPath(COMMAND), ...args], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', ...(isUrl && { MCP_SERVER_URL: target }) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  endWithUs(child);
  const output = { stdout: '', stderr: '', told: '' };
  let interrupting: NodeJS.Timeout | undefined;
  const names = ['stdout', 'stderr', 'told'] as const;
  for (const [index, stream] of child.stdio.slice(1).entries()) {
    const name = names[index];
    if (name === undefined || stream === null || stream === undefined || !('setEncoding' in stream))
      continue;
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < MAX_OUTPUT) output[name] += text;
      if (name === 'told' && commandLine[0] === 'watch') {
        interrupting ??= setTimeout(() => child.kill('SIGINT'), WATCH_MS);
      }
    });
  }
  let isLate = false;
  const stopWaiting = waitPatiently(RUN_MS, () => {
    isLate = true;
    child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  stopWaiting();
  clearTimeout(interrupting);
  return {
    pending: isLate ? [commandLine.join(' ')] : [],
    settled: [],
    unhandled: [],
    vitals: isLate ? undefined : vitals(output.told),
    died: !isLate && code === null ? `signal ${String(signal)}` : undefined,
    stdout: output.stdout,
    stderr: output.stderr,
    exitCode: code ?? undefined,
    openAtServer: 0,
  };
}

function vitals(told: string): Vitals | undefined {
  if (told.trim() === '') return undefined;
  return {
    ...(JSON.parse(told) as Watched),
    heapBytes: 0,
    leftOpen: [],
    isPolluted: false,
  };
}
