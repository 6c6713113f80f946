import {
  Picture,
  type CertaintyName,
  type EndLine,
  type RecordedError,
  type RecordedLine,
} from '@longwire/recording';

/** When the scene is looked at: 2026-11-02, 14:03:59.120 UTC. */
export const NOW: number = Date.UTC(2026, 10, 2, 14, 3, 59, 120);

const LOST: RecordedError = { code: 'connection-lost', message: 'socket hang up' };

const SERVERS = {
  market: ['https://market.example/mcp', 'streamable-http', '2025-11-25', 'market-data', '2.1.0'],
  files: ['node files.js', 'stdio', '2025-06-18', 'files', '0.9.3'],
  search: ['https://search.example/sse', 'sse', '2024-11-05', 'search', '1.4.0'],
  alerts: ['http://127.0.0.1:4010/mcp', 'streamable-http', '2026-07-28', 'alerts', '1.0.0'],
} as const;

const CALLS = [
  ['market', 'quote', { symbol: 'ACME' }, 31],
  ['market', 'history', { symbol: 'ACME', days: 30 }, 210],
  ['files', 'read_file', { path: '/srv/notes.md' }, 4],
  ['search', 'search', { text: 'reconnecting transports', limit: 20 }, 140],
  ['alerts', 'acknowledge_alert', { id: 12 }, 9],
] as const;

const LOGS = [
  ['market', 'info', 'exchange', 'opening auction in 12 s'],
  ['files', 'debug', 'watch', '/srv/notes.md changed'],
  ['search', 'warning', 'index', 'segment 4211 is slow to merge'],
  ['alerts', 'critical', 'disk', 'disk of db-2 is nearly full'],
] as const;

/** Four servers that were used for three minutes: one is away, a call was sent again, four failed. */
export function createScene(): Picture {
  const picture = new Picture();
  for (const line of linesOfScene()) picture.apply(line);
  return picture;
}

/** The lines of the scene, in order. */
export function linesOfScene(): RecordedLine[] {
  const lines: RecordedLine[] = [];
  const before = (ms: number): number => NOW - ms;
  let calls = 0;
  const begin = (at: number, server: string, name: string, args: object): number => {
    const call = ++calls;
    lines.push({ type: 'call', at, server, call, method: 'tools/call', name, arguments: args });
    return call;
  };
  const send = (at: number, server: string, call: number, attempt = 1): void =>
    void lines.push({ type: 'attempt', at, server, call, attempt, id: call * 10 + attempt });
  const end = (at: number, server: string, call: number, given: Partial<EndLine>): void =>
    void lines.push({
      type: 'end',
      at,
      server,
      call,
      durationMs: 30,
      outcome: 'result',
      result: { content: [{ type: 'text', text: 'done' }] },
      ...given,
    });
  const fail = (
    at: number,
    server: string,
    name: string,
    args: object,
    error: RecordedError,
  ): void => {
    const call = begin(at, server, name, args);
    const certainty: CertaintyName = error.certainty ?? 'answered';
    if (certainty !== 'not-sent') send(at + 1, server, call);
    end(at + 120, server, call, { outcome: 'error', durationMs: 120, error, result: undefined });
  };

  for (const [server, [target, transport, protocolVersion, name, version]] of Object.entries(
    SERVERS,
  )) {
    const at = before(190_000);
    lines.push({
      type: 'server',
      at,
      server,
      target,
      transport,
      protocolVersion,
      info: { name, version },
    });
    lines.push({
      type: 'state',
      at: at + 40,
      server,
      state: 'ready',
      connectMs: 40,
      resumed: false,
    });
  }
  const tools = [
    { name: 'search', description: 'Finds pages.', annotations: { readOnlyHint: true } },
  ];
  lines.push({
    type: 'catalogue',
    at: before(189_000),
    server: 'search',
    kind: 'tools',
    items: tools,
  });
  for (let step = 0; step < 240; step++) {
    const at = before(180_000 - step * 740);
    const [server, name, args, durationMs] = CALLS[(step * 7) % CALLS.length] ?? CALLS[0];
    const call = begin(at, server, name, args);
    send(at + 0.4, server, call);
    end(at + durationMs + (step % 9), server, call, { durationMs: durationMs + (step % 9) });
    const [from, level, logger, data] = LOGS[(step * 5) % LOGS.length] ?? LOGS[0];
    const method = 'notifications/message';
    if (step % 3 === 0)
      lines.push({
        type: 'notification',
        at,
        server: from,
        method,
        params: { level, logger, data },
      });
  }

  // A call is lost with its connection, and is sent again: its tool only reads.
  const again = begin(before(2900), 'search', 'search', { text: 'what survives', limit: 5 });
  send(before(2899), 'search', again);
  lines.push({
    type: 'state',
    at: before(2700),
    server: 'search',
    state: 'reconnecting',
    attempt: 1,
    reason: LOST,
  });
  lines.push({ type: 'error', at: before(2699), server: 'search', error: LOST });
  fail(before(2698), 'search', 'reindex', {}, { ...LOST, certainty: 'outcome-unknown' });
  lines.push({
    type: 'state',
    at: before(2300),
    server: 'search',
    state: 'ready',
    connectMs: 31,
    resumed: false,
  });
  send(before(2299), 'search', again, 2);
  end(before(2100), 'search', again, { durationMs: 800 });

  fail(
    before(1900),
    'files',
    'write_file',
    { path: '/etc/passwd', text: '' },
    {
      code: 'forbidden',
      certainty: 'refused',
      message: 'Paths outside of /srv are not allowed.',
    },
  );
  lines.push({
    type: 'state',
    at: before(1700),
    server: 'alerts',
    state: 'reconnecting',
    attempt: 3,
    nextDelayMs: 4000,
    reason: {
      code: 'connect-failed',
      certainty: 'not-sent',
      message: 'connect ECONNREFUSED 127.0.0.1:4010',
    },
  });
  fail(
    before(1500),
    'alerts',
    'run_check',
    { host: 'db-2' },
    {
      code: 'connect-failed',
      certainty: 'not-sent',
      message: 'connect ECONNREFUSED 127.0.0.1:4010',
    },
  );
  fail(
    before(1200),
    'market',
    'quote',
    { symbol: '?' },
    {
      code: 'server-error',
      certainty: 'answered',
      number: -32602,
      message: 'Unknown symbol.',
    },
  );
  const wrong = begin(before(900), 'files', 'read_file', { path: '/srv/gone.md' });
  send(before(899), 'files', wrong);
  end(before(890), 'files', wrong, {
    durationMs: 10,
    outcome: 'tool-error',
    result: { isError: true, content: [{ type: 'text', text: 'no such file: /srv/gone.md' }] },
  });

  const report = begin(before(12_400), 'market', 'build_report', { year: 2026, pages: 240 });
  send(before(12_399), 'market', report);
  lines.push({
    type: 'progress',
    at: before(300),
    server: 'market',
    call: report,
    progress: 96,
    total: 240,
    message: 'page 96 of 240',
  });
  const waiting = begin(before(700), 'search', 'search', { text: 'shoes' });
  send(before(699), 'search', waiting);
  return lines.sort((one, other) => one.at - other.at);
}
