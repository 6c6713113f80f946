import {
  Client as Client2,
  LOG_LEVEL_META_KEY,
  type Transport as Transport2,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport as Transport1 } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  LoggingMessageNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { until } from '../../../support/until.ts';
import type { ClientReport } from './report.ts';

const IDENTITY = { name: 'test', version: '0' };

/** Whether what the server says unasked gets to the client. */
export interface Looking {
  hears?: boolean;
}

/** What the tests use of the two generations. */
type Texts = { content?: unknown; contents?: unknown; messages?: unknown };

/** Lets the official client 1.x look at the server. */
export async function lookWithSdk1(transport: Transport1): Promise<ClientReport> {
  const client = new Client1(IDENTITY);
  const logged: string[] = [];
  const progress: string[] = [];
  let isChanged = false;
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logged.push(String(params.data));
  });
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    isChanged = true;
  });
  await client.connect(transport);
  try {
    const call = (name: string, args = {}): Promise<Texts> =>
      client.callTool({ name, arguments: args }, undefined, {
        onprogress: (step) => progress.push(`${step.progress}/${step.total}`),
      }) as Promise<Texts>;
    const { tools } = await client.listTools();
    const echo = textOf(await call('echo', { message: 'hé' }));
    const failed = textOf(await call('fail'));
    await call('steps');
    const resource = textOf(await client.readResource({ uri: 'note://one' }));
    const prompt = textOf(await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }));
    await call('grow');
    await until(() => isChanged && logged.length === 3);
    const names = tools.map(({ name }) => name).toSorted();
    return { tools: names, echo, failed, progress, logged, changed: isChanged, resource, prompt };
  } finally {
    await client.close();
  }
}

/** What the client 2.x is asked to speak, and what came of it. */
export interface Sdk2Report extends ClientReport {
  protocolVersion: string | undefined;
}

/** Lets the official client 2.x look at the server. */
export async function lookWithSdk2(
  transport: Transport2,
  mode: VersionNegotiationMode,
  { hears = true }: Looking = {},
): Promise<Sdk2Report> {
  let isChanged = false;
  const logged: string[] = [];
  const progress: string[] = [];
  const client = new Client2(IDENTITY, {
    versionNegotiation: { mode },
    listChanged: {
      tools: {
        autoRefresh: false,
        debounceMs: 0,
        onChanged: () => (isChanged = true),
      },
    },
  });
  client.setNotificationHandler('notifications/message', ({ params }) => {
    logged.push(String(params.data));
  });
  await client.connect(transport);
  try {
    // In the modern era each request says whether it wants to hear of logs.
    const _meta =
      client.getProtocolEra() === 'modern' ? { [LOG_LEVEL_META_KEY]: 'info' as const } : {};
    const call = (name: string, args = {}): Promise<Texts> =>
      client.callTool(
        { name, arguments: args, _meta },
        { onprogress: (step) => progress.push(`${step.progress}/${step.total}`) },
      );
    const { tools } = await client.listTools();
    const echo = textOf(await call('echo', { message: 'hé' }));
    const failed = textOf(await call('fail'));
    await call('steps');
    const resource = textOf(await client.readResource({ uri: 'note://one' }));
    const prompt = textOf(await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } }));
    await call('grow');
    if (hears) await until(() => isChanged && logged.length === 3);
    const names = tools.map(({ name }) => name).toSorted();
    const report = { tools: names, echo, failed, progress, logged, changed: isChanged };
    const protocolVersion = client.getNegotiatedProtocolVersion();
    return { ...report, resource, prompt, protocolVersion };
  } finally {
    await client.close();
  }
}

/** The text of the first block, content or message. */
function textOf({ content, contents, messages }: Texts): string {
  const [first] = (content ?? contents ?? messages) as {
    text?: string;
    content?: { text: string };
  }[];
  return first?.text ?? first?.content?.text ?? '';
}
