import {
  CLIENT_INFO_META_KEY,
  fromJsonSchema,
  inputRequired,
  McpServer,
  requireScopes,
} from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { serve, type CallGate, type ServerContext, type TaskSupport } from '../../src/index.ts';
import { deferred, open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { ask, headersOf } from '../stateless/requests.ts';
import { isFinal, send, taskRequest, until } from './task-server.ts';

const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
/** Its argument is in a header, too. */
const region: object = { type: 'string', 'x-mcp-header': 'Region' };
const REGION = fromJsonSchema<{ region?: string }>({ type: 'object', properties: { region } });

interface Checked {
  readonly url: string;
  readonly made: ServerContext[];
  readonly ended: string[];
  readonly gate: ReturnType<typeof deferred>;
}

/** Tools of which the SDK or the kit checks the requests. */
async function checking(task: TaskSupport = 'required'): Promise<Checked> {
  const made: ServerContext[] = [];
  const ended: string[] = [];
  const gate = deferred();
  const gates: CallGate[] = [
    { leave: (call, { kind }) => void ended.push(`${call.target} ${kind}`) },
  ];
  const { url, close } = await serve({
    create: (context) => {
      made.push(context);
      const { requestState } = context;
      const server = new McpServer(
        { name: 'checked', version: '1.0.0' },
        { capabilities: { logging: {} }, requestState },
      );
      server.registerTool('write', { scopeChallenge: requireScopes('write') }, () =>
        said('written'),
      );
      server.registerTool('where', { inputSchema: REGION }, ({ region }) => said(String(region)));
      server.registerTool('who', {}, ({ http, mcpReq }) =>
        said(
          JSON.stringify([
            http?.req?.headers.get('x-user'),
            http?.authInfo?.clientId,
            (mcpReq.envelope as Record<string, unknown>)[CLIENT_INFO_META_KEY],
          ]),
        ),
      );
      server.registerTool('sealed', {}, async (context) => {
        const { mcpReq } = context;
        const state = mcpReq.requestState<{ step: number }>();
        if (state !== undefined && mcpReq.inputResponses !== undefined) {
          return said(`step ${state.step}, ${Object.keys(mcpReq.inputResponses).join()}`);
        }
        const asked = {
          message: 'Sure?',
          requestedSchema: { type: 'object', properties: {} },
        } as const;
        return inputRequired({
          inputRequests: { sure: inputRequired.elicit(asked) },
          requestState: await requestState.mint({ step: 1 }, context),
        });
      });
      server.registerTool('tells', {}, async ({ mcpReq }) => {
        await mcpReq.log('info', 'begun');
        await mcpReq.log('debug', 'too much');
        await gate.promise;
        return said('told');
      });
      return server;
    },
    auth: ({ headers }) => ({
      id: 'ada',
      authInfo: {
        token: 'secret',
        clientId: String(headers['x-user'] as string),
        scopes: ['read'],
      },
    }),
    gates,
    tasks: {
      tells: { task: 'optional', auto: { afterMs: 100 } },
      sealed: { task, auto: { afterMs: 60_000 } },
      '*': 'required',
    },
  });
  open.push(() => close());
  return { url, made, ended, gate };
}

it('a call without the scopes of its tool is no task', async () => {
  const { url, made, ended } = await checking();
  const message = taskRequest('tools/call', { name: 'write', arguments: {} });
  const answer = await ask(url, message);
  expect(answer.status).toBe(403);
  expect(answer.headers['www-authenticate']).toContain('insufficient_scope');
  expect(ended).toEqual(['write refused']);
  expect(made[0]?.signal.aborted).toBe(true);
});

it('a call whose arguments are not those of its headers is no task', async () => {
  const { url, made, ended } = await checking();
  const message = taskRequest('tools/call', { name: 'where', arguments: { region: 'north' } });
  expect(await send(url, message, { 'mcp-param-region': 'south' })).toMatchObject({
    status: 400,
    error: { code: -32_020 },
  });
  expect(ended).toEqual(['where error']);
  expect(made[0]?.signal.aborted).toBe(true);
  const { result } = await send(url, message, { 'mcp-param-region': 'north' });
  const task = await until(url, result?.['taskId'], isFinal);
  expect(task).toMatchObject({ result: { content: [{ text: 'north' }] } });
});

it('a handler sees who called, and how', async () => {
  const { url } = await checking();
  const message = taskRequest('tools/call', { name: 'who', arguments: {} });
  const { result } = await send(url, message, { 'x-user': 'app' });
  const task = await until(url, result?.['taskId'], isFinal);
  const { content } = task['result'] as { content: [{ text: string }] };
  expect(JSON.parse(content[0].text)).toEqual(['app', 'app', { name: 'test', version: '1.0.0' }]);
});

it('a call that is no task yet tells what its client wants to hear', async () => {
  const { url, gate } = await checking();
  const message = taskRequest('tools/call', { name: 'tells', arguments: {} });
  Object.assign(message.params['_meta'] as object, { 'io.modelcontextprotocol/logLevel': 'info' });
  const stream = await RawStream.post(url, message, headersOf(message));
  open.push(() => stream[Symbol.asyncDispose]());
  const next = async (): Promise<unknown> => JSON.parse(await stream.nextOf('message'));
  expect(await next()).toMatchObject({
    method: 'notifications/message',
    params: { level: 'info', data: 'begun' },
  });
  const created = (await next()) as { result: Record<string, unknown> };
  expect(created.result).toMatchObject({ resultType: 'task' });
  gate.resolve();
  const task = await until(url, created.result['taskId'], isFinal);
  expect(task).toMatchObject({ result: { content: [{ text: 'told' }] } });
});

it('a handler keeps its sealed state while a task asks', async () => {
  const { url } = await checking();
  const { result } = await send(url, taskRequest('tools/call', { name: 'sealed', arguments: {} }));
  const taskId = result?.['taskId'];
  const asking = await until(url, taskId, ({ status }) => status === 'input_required');
  expect(asking).not.toHaveProperty('requestState');
  const [key = ''] = Object.keys(asking['inputRequests'] as object);
  const inputResponses = { [key]: { action: 'accept', content: {} } };
  await send(url, taskRequest('tasks/update', { taskId, inputResponses }));
  const task = await until(url, taskId, isFinal);
  expect(task).toMatchObject({ result: { content: [{ text: 'step 1, sure' }] } });
});

it('a handler that returns its questions before the call is a task is called again with the answers', async () => {
  const { url, ended } = await checking('optional');
  const params = { name: 'sealed', arguments: {} };
  const { result: asked } = await send(url, taskRequest('tools/call', params));
  expect(asked).toMatchObject({ resultType: 'input_required', inputRequests: { sure: {} } });
  const answered = {
    ...params,
    inputResponses: { sure: { action: 'accept', content: {} } },
    requestState: asked?.['requestState'],
  };
  const { result } = await send(url, taskRequest('tools/call', answered));
  expect(result).toMatchObject({ resultType: 'complete', content: [{ text: 'step 1, sure' }] });
  expect(ended).toEqual(['sealed result', 'sealed result']);
});
