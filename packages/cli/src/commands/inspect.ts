import type { LongwireClient } from '@longwire/client';
import type { AddCommand, Context } from '../context.js';
import { formatDuration } from '../durations.js';
import { isJsonObject } from '../json-object.js';
import { lookAt } from '../look-at.js';
import { targetOrAllArgument } from '../options.js';
import { describeTried } from '../report-error.js';
import { sanitize, sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { writtenTarget, type Target } from '../target.js';

/** `longwire inspect [target]` */
export const addInspect: AddCommand = (program, run) => {
  program
    .command('inspect')
    .description('what is this server: transport, protocol version, name, capabilities, counts')
    .argument(...targetOrAllArgument)
    .addHelpText('after', '\nExample:\n  $ longwire inspect http://127.0.0.1:3001/sse --json')
    .action((word: string | undefined) =>
      run((context) =>
        lookAt(context, word, {
          read: (client, target) => {
            explain(context, client);
            return inspect(context, client, target);
          },
          print: (inspection, client) => print(context, client, inspection),
        }),
      ),
    );
};

/** Says, as a detail, what was asked to find the server, and what came back. */
function explain({ terminal }: Context, { state }: LongwireClient): void {
  const { tried = [] } = state.name === 'ready' ? state : {};
  for (const each of tried) terminal.detail(describeTried(each));
}

/** What `inspect --json` prints. */
interface Inspection {
  target: string;
  transport: string;
  protocolVersion: string | null;
  server: unknown;
  capabilities: unknown;
  counts: { tools: number; resources: number; resourceTemplates: number; prompts: number };
  connectMs: number | null;
}

async function inspect(
  context: Context,
  client: LongwireClient,
  target: Target,
): Promise<Inspection> {
  // Read before the lists, whose failure would change it.
  const { state, server, capabilities, protocolVersion } = client;
  const options = operationOptions(context);
  const count = async (offered: boolean, list: () => Promise<unknown[]>): Promise<number> =>
    offered ? (await list()).length : 0;
  const hasResources = capabilities?.resources !== undefined;
  const [tools, resources, resourceTemplates, prompts] = await Promise.all([
    count(capabilities?.tools !== undefined, () => client.listTools(options)),
    count(hasResources, () => client.listResources(options)),
    count(hasResources, () => client.listResourceTemplates(options)),
    count(capabilities?.prompts !== undefined, () => client.listPrompts(options)),
  ]);
  return {
    target: context.redactor.message(sanitizeLine(writtenTarget(target))),
    transport: state.name === 'ready' ? state.transport : 'unknown',
    protocolVersion: protocolVersion ?? null,
    server: server ?? null,
    capabilities: capabilities ?? {},
    counts: { tools, resources, resourceTemplates, prompts },
    connectMs: state.name === 'ready' ? Math.round(state.connectMs) : null,
  };
}

function print(context: Context, client: LongwireClient, inspection: Inspection): void {
  const { terminal } = context;
  const { counts, connectMs } = inspection;
  const { server, capabilities, instructions } = client;
  const name = [server?.title ?? server?.name, server?.version].filter(Boolean).join(' ');
  const rows: [string, string][] = [
    ['target', inspection.target],
    ['transport', inspection.transport],
    ['protocol', inspection.protocolVersion ?? 'not told'],
    ['server', sanitizeLine(name, 200) || 'not told'],
    ['capabilities', describeCapabilities(capabilities ?? {}) || 'none'],
    ['tools', String(counts.tools)],
    ['resources', `${counts.resources}, and ${counts.resourceTemplates} templates`],
    ['prompts', String(counts.prompts)],
    ['connected in', connectMs === null ? 'unknown' : formatDuration(connectMs)],
  ];
  for (const [label, value] of rows) {
    terminal.print(`${terminal.colors.dim(label.padEnd(14))}${value}`);
  }
  if (instructions) terminal.print(`\n${sanitize(instructions).trim()}`);
}

/** `tools (listChanged), logging` */
function describeCapabilities(capabilities: object): string {
  return Object.entries(capabilities)
    .map(([name, value]: [string, unknown]) => {
      const flags = Object.entries(isJsonObject(value) ? value : {}).filter(
        ([, flag]) => flag === true || name === 'extensions',
      );
      const inner = flags.map(([flag]) => flag).join(', ');
      return sanitizeLine(inner === '' ? name : `${name} (${inner})`);
    })
    .join(', ');
}
