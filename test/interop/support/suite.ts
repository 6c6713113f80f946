import type { CallToolOptions, ClientOptions, LongwireClient } from '@longwire/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareServer, type BuiltServer, type Output } from '../../support/built-servers.ts';
import { expectNothingLeftOpen } from '../../support/open-handles.ts';
import { until } from '../../support/until.ts';
import { directoryOf, tellWhatIsMissing } from './missing.ts';
import { Subject } from './subject.ts';

/** How a library talks over one transport. */
export interface Way {
  output: Output;
  /** What it must come to, so that nobody falls back to an older protocol without a word. */
  protocolVersion: string;
  /**
   * It sends progress by a task that races with its answer: the step right before one may be lost,
   * or go ahead of the step before it.
   */
  racesLastSteps?: true;
  /** Its tools are never told that they are to stop. */
  hearsCancellation?: false;
  /** Which tools can ask; default: all that there are. */
  asks?: readonly string[];
  /** Which can ask where protocol 2026-07-28 is named, if those are others. */
  asksInNewest?: readonly string[];
}

/** What a library is like. */
export interface Library {
  name: BuiltServer;
  ways: readonly Way[];
  /** The number of the JSON-RPC error with which `broken` is answered. */
  brokenCode: number;
  counts: { tools: number; resources: number; resourceTemplates: number; prompts: number };
}

const transports = { sse: 'sse', stdio: 'stdio' } as Partial<Record<Output, string>>;

/** Runs all that a server of another language has to go through with us. */
export async function describeLibrary({ name, ways, ...expected }: Library): Promise<void> {
  const prepared = await prepareServer(name);
  expectNothingLeftOpen();
  tellWhatIsMissing(prepared);

  describe.for('missing' in prepared ? [] : ways)(`${name}, $output`, (way) => {
    const { output, protocolVersion, racesLastSteps = false, hearsCancellation = true } = way;
    const transport = transports[output] ?? 'streamable-http';
    let subject: Subject;
    beforeAll(async () => {
      subject = await Subject.start({ name, directory: directoryOf(prepared), output });
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    test('is inspected', async () => {
      const { code, stdout, stderr } = await subject.cli('inspect', '--json');
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({
        transport,
        protocolVersion,
        server: { name, version: '1.0.0' },
        counts: expected.counts,
      });
    });

    test('is listed as the official client lists it', async () => {
      await using official = await subject.connectOfficial();
      await using client = await subject.connect();
      expect(client.state).toMatchObject({ name: 'ready', transport });
      expect(client.protocolVersion).toBe(protocolVersion);
      expect(client.capabilities).toMatchObject(official.sdk.getServerCapabilities() ?? {});
      expect(await client.listTools()).toEqual((await official.raw('tools/list'))['tools']);
    });

    test('is called, many times at once', async () => {
      await using client = await subject.connect();
      const texts = Array.from({ length: 20 }, (_, n) => `hé ${n}`);
      const calls = texts.map((message) => client.callTool('echo', { message }));
      for (const [n, { content }] of (await Promise.all(calls)).entries()) {
        expect(content).toMatchObject([{ type: 'text', text: `Echo: hé ${n}` }]);
      }
      expect(client.stats().droppedAnswers).toBe(0);
    });

    /**
     * A server that answers with JSON says all else on the stream that stands beside, which opens
     * some time after the handshake: connected, with its notifications received.
     */
    const subscribed = async (options?: ClientOptions): Promise<LongwireClient> => {
      const client = await subject.connect(options);
      if (output !== 'json') return client;
      const enough = new AbortController();
      const call = client.callTool(
        'slow',
        { steps: 400, stepMs: 20 },
        { signal: enough.signal, onProgress: () => enough.abort() },
      );
      await expect(call).rejects.toMatchObject({ code: 'aborted' });
      return client;
    };

    test('tells its progress', async () => {
      await using client = await subscribed();
      const seen: string[] = [];
      const result = await client.callTool(
        'slow',
        { steps: 5, stepMs: 10 },
        { onProgress: ({ progress, total }) => seen.push(`${progress}/${total}`) },
      );
      expect(result.content).toMatchObject([{ text: 'done' }]);
      const wasLost = racesLastSteps && seen.length === 4;
      expect(racesLastSteps ? seen.toSorted() : seen).toEqual(
        ['1/5', '2/5', '3/5', '4/5', '5/5'].slice(0, wasLost ? 4 : 5),
      );
    });

    test('fails in the words of its tool, and in those of the protocol', async () => {
      await using client = await subject.connect();
      const result = await client.callTool('fail');
      expect(result).toMatchObject({ isError: true, content: [{ text: 'it failed' }] });
      await expect(client.callTool('broken')).rejects.toMatchObject({
        code: 'server-error',
        certainty: 'answered',
        message: expect.stringContaining('it is broken') as unknown,
        number: expected.brokenCode,
      });
    });

    // A command takes a while to start, and says the same whatever the transport.
    if (way === ways[0]) {
      test('says on the command line what a tool ended with', async () => {
        const broken = await subject.cli('call', 'broken');
        expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('it is broken')]);
        const failed = await subject.cli('call', 'fail', '--json');
        expect(failed.code).toBe(1);
        expect(JSON.parse(failed.stdout)).toMatchObject({ isError: true });
      });
    }

    test('gives its resources and its prompt', async () => {
      await using client = await subject.connect();
      const text = async (uri: string): Promise<unknown> =>
        (await client.readResource(uri)).contents.map(
          (content) => 'text' in content && content.text,
        );
      expect(await client.listResources()).toMatchObject([{ uri: 'note://one', name: 'note' }]);
      expect(await text('note://one')).toEqual(['a note']);
      expect(await client.listResourceTemplates()).toMatchObject([{ uriTemplate: 'item://{id}' }]);
      expect(await text('item://7')).toEqual(['item 7']);
      expect(await client.listPrompts()).toMatchObject([{ name: 'greet' }]);
      expect(await client.getPrompt('greet', { name: 'Ada' })).toMatchObject({
        messages: [{ role: 'user', content: { type: 'text', text: 'Say hello to Ada' } }],
      });
    });

    test.for([
      ['by its signal', 'aborted'],
      ['by its deadline', 'deadline'],
    ] as const)('a call that is ended %s ends there, too', async ([, code]) => {
      await using client = await subject.connect();
      const before = [
        await subject.happened('slow'),
        await subject.happened('slow cancelled'),
      ] as const;
      const cancel = new AbortController();
      const options: CallToolOptions =
        code === 'aborted' ? { signal: cancel.signal } : { deadlineMs: 500 };
      const call = client.callTool('slow', { steps: 400, stepMs: 20 }, options);
      const ended = expect(call).rejects.toMatchObject({ code, certainty: 'outcome-unknown' });
      await until(async () => (await subject.happened('slow')) > before[0]);
      cancel.abort();
      await ended;
      if (hearsCancellation) {
        await until(async () => (await subject.happened('slow cancelled')) > before[1]);
      }
      expect((await client.callTool('echo', { message: 'on' })).content).toMatchObject([
        { text: 'Echo: on' },
      ]);
    });

    const asks = [
      ...(way.asks ?? ['ask', 'ask-in-result']).map((tool) => [tool, 'auto'] as const),
      ...(way.asksInNewest ?? []).map((tool) => [tool, '2026-07-28'] as const),
    ];
    test.for(asks)('%s reaches the program, with protocol %s', async ([tool, protocol]) => {
      const questions: unknown[] = [];
      await using client = await subscribed({
        protocol,
        handlers: {
          elicitation: ({ message }) => {
            questions.push(message);
            return { action: 'accept', content: { name: 'Ada' } };
          },
        },
      });
      expect((await client.callTool(tool)).content).toMatchObject([{ text: 'Hello, Ada' }]);
      expect(questions).toEqual(['Who are you?']);
    });

    test('killed between two calls, and started again, it is called on', async () => {
      await using client = await subject.connect();
      await client.listTools();
      await client.callTool('write', { waitMs: 0 });
      const written = await subject.happened('write');
      await subject.restart();
      // What is safe is sent again, should the end not have been noticed yet.
      expect((await client.callTool('echo', { message: 'on' })).content).toMatchObject([
        { text: 'Echo: on' },
      ]);
      await client.callTool('write', { waitMs: 0 });
      expect(await subject.happened('write')).toBe(written + 1);
    });

    test('killed in the middle of a safe call, it is sent again', async () => {
      await using client = await subject.connect();
      await client.listTools();
      const before = await subject.happened('slow');
      const call = client.callTool('slow', { steps: 30, stepMs: 20 });
      await until(async () => (await subject.happened('slow')) > before);
      await subject.restart();
      expect((await call).content).toMatchObject([{ text: 'done' }]);
      expect(await subject.happened('slow')).toBe(before + 2);
    });

    test('killed in the middle of a write, it says that nobody knows, and writes once', async () => {
      await using client = await subject.connect();
      await client.listTools();
      const before = await subject.happened('write');
      const call = client.callTool('write', { waitMs: 30_000 });
      const failed = expect(call).rejects.toMatchObject({
        code: 'connection-lost',
        certainty: 'outcome-unknown',
      });
      await until(async () => (await subject.happened('write')) > before);
      await subject.restart();
      await failed;
      expect((await client.callTool('echo', { message: 'on' })).content).toMatchObject([
        { text: 'Echo: on' },
      ]);
      expect(await subject.happened('write')).toBe(before + 1);
    });
  });
}
