import { expect, expectTypeOf, it } from 'vitest';
import { everythingCommand } from '../../../../test/support/peers.ts';
import { createGroup, type Group } from '../../src/group/index.ts';
import {
  connect,
  createClient,
  type CallToolResult,
  type LongwireClient,
  type ToolHandle,
  type ToolResult,
  type ToolSource,
  type ToolStreamEvent,
} from '../../src/index.ts';
import { createPool, type LongwirePool } from '../../src/pool/index.ts';

interface EchoArguments {
  message: string;
}

interface Weather {
  temperature: number;
  conditions: string;
  humidity: number;
}

/** Tools of server-everything, as `longwire types` would write them. */
interface Everything {
  echo: { arguments: EchoArguments };
  'get-structured-content': {
    arguments: { location: 'New York' | 'Chicago' | 'Los Angeles' };
    structured: Weather;
  };
  'trigger-long-running-operation': { arguments: { duration?: number; steps?: number } };
}

it('calls by types what a real server has', async () => {
  await using client = await connect<Everything>(everythingCommand());
  const message: EchoArguments = { message: 'typed' };
  expect(await client.callTool('echo', message)).toMatchObject({
    content: [{ type: 'text', text: 'Echo: typed' }],
  });
  const result = await client
    .tool('get-structured-content')
    .call({ location: 'Chicago' }, { timeoutMs: 20_000 });
  expectTypeOf(result.structuredContent).toEqualTypeOf<Weather | undefined>();
  expect(result.structuredContent?.temperature).toBeTypeOf('number');
});

it('takes any tool where no types are given, and an interface as arguments', async () => {
  await using client = await connect(everythingCommand());
  const message: EchoArguments = { message: 'any' };
  const result = await client.callTool('echo', message);
  expectTypeOf(result).toEqualTypeOf<CallToolResult>();
  expect(result.content).toEqual([{ type: 'text', text: 'Echo: any' }]);
  expect(await client.tool('get-tiny-image').call()).toMatchObject({ content: expect.anything() });
});

it('sends no arguments that are a list', async () => {
  await using client = await connect(everythingCommand());
  await expect(client.callTool('echo', ['message'])).rejects.toMatchObject({
    code: 'invalid-arguments',
    certainty: 'not-sent',
    message: 'the arguments of echo are not an object with a member for each',
  });
});

// What follows is for the compiler alone.

async function checkCalls(
  source: LongwireClient<Everything> | LongwirePool<Everything> | Group<Everything>,
): Promise<void> {
  await source.callTool('echo', { message: 'x' }, { idempotent: true });
  await source.callTool('trigger-long-running-operation');
  await source.callTool('trigger-long-running-operation', {}, { timeoutMs: 5 });
  // @ts-expect-error: there is no such tool
  await source.callTool('ecko', { message: 'x' });
  // @ts-expect-error: an argument is missing
  await source.callTool('echo');
  // @ts-expect-error: an argument is missing
  await source.callTool('echo', {});
  // @ts-expect-error: an argument is of the wrong type
  await source.callTool('echo', { message: 5 });
  // @ts-expect-error: there is no such argument
  await source.callTool('echo', { message: 'x', massage: 'y' });
  // @ts-expect-error: Paris is not in the schema
  await source.callTool('get-structured-content', { location: 'Paris' });
  const { structuredContent } = await source.callTool('get-structured-content', {
    location: 'Chicago',
  });
  expectTypeOf(structuredContent).toEqualTypeOf<Weather | undefined>();
  // @ts-expect-error: there is no such field
  void structuredContent?.wind;
}

async function checkHandles(client: LongwireClient<Everything>): Promise<void> {
  expectTypeOf(client.tool('echo')).toEqualTypeOf<ToolHandle<Everything['echo']>>();
  // @ts-expect-error: there is no such tool
  client.tool('ecko');
  // @ts-expect-error: an argument is missing
  await client.tool('echo').call();
  for await (const event of client.stream('get-structured-content', { location: 'Chicago' })) {
    expectTypeOf(event).toEqualTypeOf<
      ToolStreamEvent<ToolResult<Everything['get-structured-content']>>
    >();
    if (event.type !== 'result') continue;
    expectTypeOf(event.result.structuredContent).toEqualTypeOf<Weather | undefined>();
  }
  // @ts-expect-error: an argument is missing
  client.stream('echo');
}

function checkMakers(): void {
  expectTypeOf(connect<Everything>).returns.resolves.toEqualTypeOf<LongwireClient<Everything>>();
  expectTypeOf(createClient<Everything>).returns.toEqualTypeOf<LongwireClient<Everything>>();
  expectTypeOf(createPool<Everything>).returns.toEqualTypeOf<LongwirePool<Everything>>();
  expectTypeOf(createGroup<Everything>).returns.toEqualTypeOf<Group<Everything>>();
  // What is typed goes wherever tools are taken.
  expectTypeOf<LongwireClient<Everything>>().toExtend<LongwireClient>();
  expectTypeOf<LongwireClient<Everything>>().toExtend<ToolSource>();
  expectTypeOf<LongwirePool<Everything>>().toExtend<ToolSource>();
  expectTypeOf<Group<Everything>>().toExtend<ToolSource>();
  // @ts-expect-error: this says nothing of tools
  createClient<{ echo: { args: object } }>('http://127.0.0.1');
}

void [checkCalls, checkHandles, checkMakers];
