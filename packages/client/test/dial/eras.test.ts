import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  type JSONRPCResponse,
} from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import {
  eraOf,
  initializeFrom,
  isModernOnly,
  isNamedAgain,
  offering,
  otherAnswer,
  firstMethodsOf,
} from '../../src/dial/eras.ts';

const discover = {
  jsonrpc: '2.0' as const,
  id: 'probe',
  method: 'server/discover',
  params: {
    _meta: {
      [PROTOCOL_VERSION_META_KEY]: '2026-07-28',
      [CLIENT_INFO_META_KEY]: { name: 'me', version: '1' },
      [CLIENT_CAPABILITIES_META_KEY]: { roots: {} },
    },
  },
};

const result = (value: Record<string, unknown>): JSONRPCResponse => ({
  jsonrpc: '2.0',
  id: 1,
  result: value,
});
const error = (code: number, data?: unknown): JSONRPCResponse => ({
  jsonrpc: '2.0',
  id: 1,
  error: { code, message: 'no', ...(data !== undefined && { data }) },
});

describe('eras', () => {
  it('follow from the versions that a server names', () => {
    const named = (supportedVersions: unknown) =>
      eraOf(result({ supportedVersions, capabilities: {} }), discover);
    expect(named(['2026-07-28'])).toBe('modern');
    expect(named(['2025-11-25', '2026-07-28', '2027-01-01'])).toBe('modern');
    expect(eraOf(result({}), discover)).toBe('legacy');
    expect(eraOf(error(-32601), discover)).toBe('legacy');
  });

  it('are not told by an answer that holds too much to be checked', () => {
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [index, index]));
    const answer = result({ supportedVersions: ['2026-07-28'], capabilities: { logging: many } });
    expect(() => eraOf(answer, discover)).toThrow('more than 10000 members in one place');
  });

  it.each([
    [[]],
    [['2025-11-25', '2025-06-18', '2024-11-05']],
    [['2027-01-01']],
    [['2026-07-28', 7]],
    ['2026-07-28'],
    [{ '2026-07-28': true }],
    [null],
    [undefined],
  ])('versions %j are not modern', (supportedVersions) => {
    expect(eraOf(result({ supportedVersions, capabilities: {} }), discover)).toBe('legacy');
  });

  it('an answer that the SDK cannot read is not modern', () => {
    const supportedVersions = ['2026-07-28'];
    expect(eraOf(result({ supportedVersions }), discover)).toBe('legacy');
    expect(eraOf(result({ supportedVersions, capabilities: null }), discover)).toBe('legacy');
  });

  it('a request without a version has no modern answer', () => {
    const bare = { jsonrpc: '2.0' as const, id: 1, method: 'server/discover' };
    const answer = result({ supportedVersions: ['2026-07-28'], capabilities: {} });
    expect(eraOf(answer, bare)).toBe('legacy');
  });

  it('another answer is shown in words', () => {
    expect(otherAnswer(error(-32601))).toBe('no');
    expect(otherAnswer(result({}))).toBe('a result of another kind');
    const many = Array.from({ length: 500 }, () => '2025-11-25');
    expect(otherAnswer(result({ supportedVersions: many })).length).toBeLessThan(200);
    expect(otherAnswer(result({ supportedVersions: ['2025-06-18', '2025-11-25'] }))).toBe(
      'it names only 2025-06-18, 2025-11-25',
    );
  });

  it('a server without initialize is of the modern era alone', () => {
    for (const code of [-32601, -32020, -32021, -32022]) {
      expect(isModernOnly(error(code))).toBe(true);
    }
    expect(isModernOnly(error(-32602))).toBe(false);
    expect(isModernOnly(result({}))).toBe(false);
  });

  it.each([{ elicitation: {} }, { sampling: {} }, { roots: {} }])(
    'a program that announces %j is best asked in the legacy one',
    (capabilities) => {
      const params = { _meta: { [CLIENT_CAPABILITIES_META_KEY]: capabilities } };
      const asking = { ...discover, params };
      expect(firstMethodsOf(asking, 'auto')).toEqual(['initialize', 'discover']);
      expect(firstMethodsOf(asking, '2026-07-28')).toEqual(['discover']);
      expect(firstMethodsOf(asking, '2025-03-26')).toEqual(['initialize']);
    },
  );

  it.each([undefined, {}, { experimental: {} }, null, 'roots'])(
    'a program that announces %j is of both, the modern one first',
    (capabilities) => {
      const params = { _meta: { [CLIENT_CAPABILITIES_META_KEY]: capabilities } };
      expect(firstMethodsOf({ ...discover, params }, 'auto')).toEqual(['discover', 'initialize']);
    },
  );

  it('a program without discover is of the legacy era alone', () => {
    expect(firstMethodsOf(undefined, 'auto')).toEqual(['initialize']);
    expect(firstMethodsOf(undefined, '2024-11-05')).toEqual(['initialize']);
    expect(() => firstMethodsOf(undefined, '2026-07-28')).toThrow(
      expect.objectContaining({ code: 'config', certainty: 'not-sent' }),
    );
  });

  it('the version of the program is offered', () => {
    const initialize = initializeFrom(discover);
    expect(offering(initialize, 'auto')).toBe(initialize);
    expect(offering(initialize, '2025-03-26').params).toEqual({
      ...initialize.params,
      protocolVersion: '2025-03-26',
    });
  });

  it('a version that is refused and named is sent again', () => {
    expect(isNamedAgain(error(-32022, { supported: ['2026-07-28'] }), discover)).toBe(true);
    expect(isNamedAgain(error(-32022, { supported: ['2027-01-01'] }), discover)).toBe(false);
    expect(isNamedAgain(error(-32022), discover)).toBe(false);
    expect(isNamedAgain(error(-32601, { supported: ['2026-07-28'] }), discover)).toBe(false);
    expect(isNamedAgain(result({}), discover)).toBe(false);
  });

  it('the first requests of both eras say the same', () => {
    expect(initializeFrom(discover)).toEqual({
      jsonrpc: '2.0',
      id: 'probe',
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        clientInfo: { name: 'me', version: '1' },
        capabilities: { roots: {} },
      },
    });
  });
});
