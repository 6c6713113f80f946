import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { toOtlp, type OtlpSpan } from '../../src/index.ts';
import { BEGIN, pictureOf, STORY } from '../support/picture-of.ts';

const traces = toOtlp(pictureOf(...STORY));
const spans = traces.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
const named = (name: string): OtlpSpan[] => spans.filter((span) => span.name === name);
const attributesOf = ({ attributes }: OtlpSpan): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]));
/** The time of the line with this number in the story. */
const nanosecondsOf = (line: number): string => `${BEGIN + line * 10}000000`;

describe('traces in OTLP/JSON', () => {
  it('have a client span of each call, by the conventions', () => {
    const [search] = named('tools/call search') as [OtlpSpan];
    expect(search).toMatchObject({
      kind: 3,
      startTimeUnixNano: nanosecondsOf(3),
      endTimeUnixNano: nanosecondsOf(12),
      status: {},
    });
    expect(attributesOf(search)).toEqual({
      [conventions.ATTR_MCP_METHOD_NAME]: 'tools/call',
      [conventions.ATTR_GEN_AI_OPERATION_NAME]: 'execute_tool',
      [conventions.ATTR_GEN_AI_TOOL_NAME]: 'search',
      [conventions.ATTR_SERVER_ADDRESS]: '::1',
      [conventions.ATTR_SERVER_PORT]: '8443',
      [conventions.ATTR_NETWORK_TRANSPORT]: 'tcp',
      [conventions.ATTR_NETWORK_PROTOCOL_NAME]: 'http',
      [conventions.ATTR_JSONRPC_REQUEST_ID]: '9',
      [conventions.ATTR_MCP_PROTOCOL_VERSION]: '2025-11-25',
      'longwire.server': 'market',
      'longwire.call': '1',
      'longwire.by': 'page',
    });
    expect(attributesOf(named('prompts/get greet')[0] as OtlpSpan)).toMatchObject({
      [conventions.ATTR_GEN_AI_PROMPT_NAME]: 'greet',
      'longwire.unfinished': true,
    });
  });

  it('have a span of each attempt, and what caused the second', () => {
    const [search] = named('tools/call search') as [OtlpSpan];
    const [first, second] = spans.filter(({ parentSpanId }) => parentSpanId === search.spanId) as [
      OtlpSpan,
      OtlpSpan,
    ];
    expect([first.name, second.name]).toEqual(['tools/call attempt', 'tools/call attempt']);
    expect(attributesOf(first)).toMatchObject({
      'longwire.attempt': '1',
      'error.type': 'sent-again',
    });
    expect(first.endTimeUnixNano).toBe(second.startTimeUnixNano);
    expect(second).toMatchObject({ endTimeUnixNano: search.endTimeUnixNano, status: {} });
    expect(search.events).toMatchObject([
      { name: 'longwire.sent_again', timeUnixNano: second.startTimeUnixNano },
    ]);
  });

  it('say how a call failed, and what is certain', () => {
    const [read] = named('resources/read') as [OtlpSpan];
    expect(read.status).toEqual({ code: 2, message: 'no such file' });
    expect(attributesOf(read)).toMatchObject({
      [conventions.ATTR_ERROR_TYPE]: '-32002',
      [conventions.ATTR_RPC_RESPONSE_STATUS_CODE]: '-32002',
      [conventions.ATTR_MCP_RESOURCE_URI]: 'file:///a',
      'longwire.certainty': 'answered',
    });
    expect(attributesOf(named('tools/call write')[0] as OtlpSpan)).toMatchObject({
      [conventions.ATTR_ERROR_TYPE]: 'timeout',
      'longwire.certainty': 'outcome-unknown',
    });
  });

  it('have ids that are right, the same each time, and lead from a call to its cause', () => {
    expect(toOtlp(pictureOf(...STORY))).toEqual(traces);
    for (const { traceId, spanId } of spans) {
      expect(traceId).toMatch(/^[\da-f]{32}$/);
      expect(spanId).toMatch(/^[\da-f]{16}$/);
    }
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const [search, read] = [named('tools/call search')[0], named('resources/read')[0]];
    expect(read).toMatchObject({ traceId: search?.traceId, parentSpanId: search?.spanId });
    expect(named('tools/call write')[0]?.traceId).not.toBe(search?.traceId);
  });

  it('are made of calls that cause each other, and of times that no clock has', () => {
    const odd = pictureOf(
      { type: 'call', call: 1, method: 'ping', by: { call: 2 }, at: -5 },
      { type: 'call', call: 2, method: 'ping', by: { call: 1 }, at: 1e300 },
      { type: 'call', call: 3, method: 'ping', by: { call: 3 }, at: 0 },
    );
    const made = toOtlp(odd).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    expect(made.map(({ startTimeUnixNano }) => startTimeUnixNano)).toEqual([
      '0',
      '0',
      '18446744073709000000',
    ]);
  });
});
