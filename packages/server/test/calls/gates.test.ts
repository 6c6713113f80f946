import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { CallGate, Refusal } from '../../src/index.ts';
import { call, deferred, endpointOf, opened, post, serving, stream } from '../fixture.ts';

describe('a call', () => {
  it('is refused where a batch has its id twice, and no gate is asked', async () => {
    const asked: unknown[] = [];
    const gates: CallGate[] = [{ admit: ({ id }) => void asked.push(id) }];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const echo = call(1, 'echo', { message: 'hi' });
    expect(await post(mcpUrl, [echo, echo], headers)).toMatchObject({ status: 400 });
    expect(asked).toEqual([0]);
  });

  it('fails alone where a gate throws around it', async () => {
    const gates: CallGate[] = [
      {
        around: ({ target }, deliver) => {
          if (target === 'fail') throw new Error('a defect of the gate');
          deliver();
        },
      },
    ];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    expect((await post(mcpUrl, call(1, 'fail'), headers)).text).toContain('-32603');
    const next = await post(mcpUrl, call(2, 'echo', { message: 'hi' }), headers);
    expect(next.text).toContain('"hi"');
  });

  it('does not run where its session ended while a gate was asked, and the gate is told once', async () => {
    const [asked, allowed] = [deferred(), deferred()];
    const left: string[] = [];
    const gates: CallGate[] = [
      {
        admit: async ({ method }) => {
          if (method !== 'tools/call') return undefined;
          asked.resolve();
          await allowed.promise;
          return undefined;
        },
        leave: ({ method }, { kind }) => void left.push(`${method} ${kind}`),
      },
    ];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const answer = post(mcpUrl, call(1, 'echo', { message: 'too late' }), headers);
    await asked.promise;
    await (await request(mcpUrl, { method: 'DELETE', headers })).body.dump();
    allowed.resolve();
    expect((await answer).text).not.toContain('too late');
    expect(left).toEqual(['initialize result', 'tools/call cancelled']);
  });

  /** A gate that holds calls of tools until it is told; what it was told of their ends. */
  function heldGate(refusal?: Refusal): {
    gates: CallGate[];
    asked: Promise<void>;
    decide: () => void;
    left: string[];
  } {
    const [asked, decided] = [deferred(), deferred()];
    const left: string[] = [];
    const gate: CallGate = {
      admit: async ({ method }) => {
        if (method !== 'tools/call') return undefined;
        asked.resolve();
        await decided.promise;
        return refusal;
      },
      leave: ({ id, method }, { kind }) => {
        if (method === 'tools/call') left.push(`${String(id)} ${kind}`);
      },
    };
    return { gates: [gate], asked: asked.promise, decide: decided.resolve, left };
  }

  it('runs once where it is repeated while a gate is asked, and its client is answered', async () => {
    const { gates, asked, decide, left } = heldGate();
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const first = post(mcpUrl, call(1, 'echo', { message: 'hi' }), headers);
    await asked;
    const again = post(mcpUrl, call(1, 'echo', { message: 'hi' }), headers);
    const other = await post(mcpUrl, call(1, 'echo', { message: 'other' }), headers);
    expect(other).toMatchObject({ status: 400 });
    decide();
    const texts = [(await first).text, (await again).text];
    expect(texts.some((text) => text.includes('"hi"'))).toBe(true);
    expect((await post(mcpUrl, call(1, 'echo', { message: 'hi' }), headers)).text).toContain(
      '"hi"',
    );
    expect(left).toEqual(['1 result']);
  });

  it('is refused with its repetition', async () => {
    const refusal = { status: 403, code: -32_000, message: 'not today' };
    const { gates, asked, decide, left } = heldGate(refusal);
    const { url } = await serving({ gates });
    const endpoint = await endpointOf(await stream(url), url);
    const first = post(endpoint, call(1, 'echo', { message: 'hi' }));
    await asked;
    const again = post(endpoint, call(1, 'echo', { message: 'hi' }));
    // The repetition is known before the decision: a POST that comes later has its answer by then.
    await post(endpoint, { jsonrpc: '2.0', method: 'notifications/initialized' });
    decide();
    expect([(await first).status, (await again).status]).toEqual([403, 403]);
    expect(left).toEqual(['1 refused']);
  });

  it('does not run where its client cancels it while a gate is asked, which is told afterwards', async () => {
    const { gates, asked, decide, left } = heldGate();
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const answer = post(mcpUrl, call(1, 'echo', { message: 'too late' }), headers);
    await asked;
    const params = { requestId: 1 };
    await post(mcpUrl, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, headers);
    expect(left).toEqual([]);
    decide();
    expect((await answer).text).not.toContain('too late');
    expect(left).toEqual(['1 cancelled']);
  });

  it('of a batch is told as refused where a later one is, and is not in flight any more', async () => {
    const left: string[] = [];
    const gates: CallGate[] = [
      {
        admit: ({ target }) =>
          target === 'fail' ? { status: 403, code: -32_000, message: 'no' } : undefined,
        leave: ({ id }, { kind }) => void left.push(`${String(id)} ${kind}`),
      },
    ];
    const { mcpUrl } = await serving({ gates, maxInFlight: 2 });
    const headers = await opened(mcpUrl);
    left.length = 0;
    const echo = call(1, 'echo', { message: 'hi' });
    expect(await post(mcpUrl, [echo, call(2, 'fail')], headers)).toMatchObject({ status: 403 });
    expect(left).toEqual(['2 refused', '1 refused']);
    const batch = [echo, call(2, 'echo', { message: 'ho' })];
    const three = await post(mcpUrl, [...batch, call(3, 'grow')], headers);
    expect(three).toMatchObject({ status: 429 });
    const answers = (await post(mcpUrl, batch, headers)).text;
    expect(answers).toContain('"hi"');
    expect(answers).toContain('"ho"');
    left.length = 0;
    // Repeated, they are answered again, and do not run.
    const repeated = (await post(mcpUrl, batch, headers)).text;
    expect(repeated).toContain('"hi"');
    expect(repeated).toContain('"ho"');
    expect(left).toEqual([]);
  });
});
