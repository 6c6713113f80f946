import type { CallToolResult, LongwireClient, Progress } from '@longwire/client';
import { createStateWords } from '../connection-words.js';
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

/** After how many steps of the long task its connection is cut. */
const cutAfterSteps = 3;

const whatHappened =
  'The stream was cut while the task ran. The session was resumed on a new connection: the task went on, and what it had said meanwhile came first.';

/** One call of the tour. */
interface TourCall {
  title: string;
  tool: string;
  args: Record<string, unknown>;
  /** The connection is cut in the middle. */
  isCut?: boolean;
}

const calls: readonly TourCall[] = [
  { title: 'A call', tool: 'echo', args: { message: 'hello over the wire' } },
  {
    title: 'A call with progress',
    tool: 'stream_stock_prices',
    args: { symbols: ['AAPL', 'MSFT'], duration: 2 },
  },
  {
    title: 'A long task, in the middle of which this demo cuts its own connection',
    tool: 'long_task',
    args: { steps: 5 },
    isCut: true,
  },
  { title: 'A structured result', tool: 'forecast', args: { city: 'Lisbon' } },
  { title: 'An image', tool: 'chart', args: {} },
  { title: 'An error that a tool reports', tool: 'fail', args: {} },
];

/** What a tour is made with. */
export interface TourOptions {
  /** The address of the demo's server. */
  target: string;
  media: MediaFolder;
  /** Cuts the connection, from the server's side. */
  cut: () => void;
}

/** Shows what Longwire does with a server, on the demo's own. */
export async function tour(
  context: Context,
  client: LongwireClient,
  options: TourOptions,
): Promise<void> {
  const { media } = options;
  const { terminal } = context;
  showConnection(context, client);

  heading(context, 'Its tools');
  terminal.print(toolTable(await client.listTools(operationOptions(context)), terminal));

  for (const tourCall of calls) {
    const { title, tool, isCut } = tourCall;
    heading(context, title);
    const result = await call(context, client, tourCall, options);
    const lines = await describeResult(result, { tool, media });
    for (const line of lines) terminal.print(line);
    if (result.isError === true)
      terminal.print(terminal.colors.red('(isError: a result, not a crash)'));
    if (isCut === true) terminal.print(whatHappened);
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
  terminal.print(`transport  ${state.transport} (found, not configured)`);
  terminal.print(`protocol   ${protocolVersion ?? 'not told'}`);
  terminal.print(`endpoint   ${redactor.message(state.address)}`);
  terminal.print(`connected  in ${formatDuration(state.connectMs)}`);
}

async function call(
  context: Context,
  client: LongwireClient,
  { tool, args, isCut = false }: TourCall,
  { target, cut }: TourOptions,
): Promise<CallToolResult> {
  const { terminal, redactor } = context;
  const { dim } = terminal.colors;
  terminal.print(dim(`$ longwire call ${target} ${tool} --args '${JSON.stringify(args)}'`));
  terminal.showLive(tool);
  let reports = 0;
  let logs = 0;
  let lastLineAt = Number.NEGATIVE_INFINITY;
  let cutsLeft = isCut ? 1 : 0;
  const onProgress = (progress: Progress): void => {
    reports++;
    showStep(progress);
    if (progress.progress < cutAfterSteps || cutsLeft === 0) return;
    cutsLeft--;
    // What arrived together with this is shown first.
    setImmediate(() => {
      terminal.print(dim('  the demo cuts its connection'));
      cut();
    });
  };
  const showStep = (progress: Progress): void => {
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
  const words = createStateWords(client);
  const stopFollowing = client.on('state', (state) => {
    const line = redactor.message(words(state));
    if (state.name !== 'connecting') terminal.print(terminal.colors.yellow(`  ${line}`));
    terminal.showLive(state.name === 'ready' ? tool : `${tool}: ${line}`);
    lastLineAt = Number.NEGATIVE_INFINITY;
  });
  try {
    return await client.callTool(tool, args, { ...operationOptions(context), onProgress });
  } finally {
    stopLogging();
    stopFollowing();
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
