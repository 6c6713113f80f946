import type { CallToolResult, LongwireClient, Progress } from '@longwire/client';
import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import { logMessage } from '../notifications.js';
import { describeResource, describeResult } from '../print-result.js';
import { describeProgress, showProgress } from '../progress.js';
import { sanitizeLine } from '../sanitize.js';
import type { MediaFolder } from '../save-media.js';
import { operationOptions } from '../session.js';
import { toolTable } from '../tool-table.js';

/** Where progress cannot be drawn it is printed, at most this often. */
const progressLineEveryMs = 400;

/** Shows what Longwire does with a server, on the demo's own. */
export async function tour(
  context: Context,
  client: LongwireClient,
  { target, media }: { target: string; media: MediaFolder },
): Promise<void> {
  const { terminal } = context;
  showConnection(context, client);

  heading(context, 'Its tools');
  terminal.print(toolTable(await client.listTools(operationOptions(context)), terminal));

  const steps: [title: string, tool: string, args: Record<string, unknown>][] = [
    ['A call', 'echo', { message: 'hello over SSE' }],
    ['A call with progress', 'stream_stock_prices', { symbols: ['AAPL', 'MSFT'], duration: 2 }],
    ['A long task, with progress and log messages', 'long_task', { steps: 5 }],
    ['A structured result', 'forecast', { city: 'Lisbon' }],
    ['An image', 'chart', {}],
    ['An error that a tool reports', 'fail', {}],
  ];
  for (const [title, tool, args] of steps) {
    heading(context, title);
    const result = await call(context, client, { target, tool, args });
    const lines = await describeResult(result, { tool, media });
    for (const line of lines) terminal.print(line);
    if (result.isError === true)
      terminal.print(terminal.colors.red('(isError: a result, not a crash)'));
  }

  heading(context, 'A resource');
  const [resource] = await client.listResources(operationOptions(context));
  if (resource === undefined) return;
  const { contents } = await client.readResource(resource.uri, operationOptions(context));
  for (const content of contents) {
    terminal.print(await describeResource({ ...content }, { tool: 'resource', media }));
  }
}

function showConnection(context: Context, client: LongwireClient): void {
  const { terminal, redactor } = context;
  const { state, server, protocolVersion } = client;
  if (state.name !== 'ready') return;
  heading(context, 'Connected');
  terminal.print(
    `server     ${sanitizeLine(`${server?.title ?? server?.name} ${server?.version}`)}`,
  );
  terminal.print(`transport  ${state.dialect} (found, not configured)`);
  terminal.print(`protocol   ${protocolVersion ?? 'not told'}`);
  terminal.print(`endpoint   ${redactor.message(state.url)}`);
  terminal.print(`connected  in ${formatDuration(state.connectMs)}`);
}

async function call(
  context: Context,
  client: LongwireClient,
  { target, tool, args }: { target: string; tool: string; args: Record<string, unknown> },
): Promise<CallToolResult> {
  const { terminal } = context;
  const { dim } = terminal.colors;
  terminal.print(dim(`$ longwire call ${target} ${tool} --args '${JSON.stringify(args)}'`));
  terminal.showLive(tool);
  let reports = 0;
  let logs = 0;
  let lastLineAt = Number.NEGATIVE_INFINITY;
  const onProgress = (progress: Progress): void => {
    reports++;
    if (terminal.live) return showProgress(terminal, tool, progress);
    const now = performance.now();
    const last = typeof progress.total === 'number' && progress.progress >= progress.total;
    if (!last && now - lastLineAt < progressLineEveryMs) return;
    lastLineAt = now;
    terminal.print(dim(`  progress ${describeProgress(progress)}`));
  };
  const stopLogging = client.on('notification', (notification) => {
    const logged = logMessage(notification);
    if (logged === undefined) return;
    logs++;
    terminal.print(dim(`  log ${logged.text}`));
  });
  try {
    return await client.callTool(tool, args, { ...operationOptions(context), onProgress });
  } finally {
    stopLogging();
    terminal.stopLive();
    const counts = [
      reports > 0 && `${reports} progress reports`,
      logs > 0 && `${logs} log messages`,
    ];
    const told = counts.filter(Boolean).join(', ');
    if (told !== '') terminal.print(dim(`  ${told}`));
  }
}

function heading({ terminal }: Context, title: string): void {
  terminal.print(`\n${terminal.colors.bold(title)}`);
}
