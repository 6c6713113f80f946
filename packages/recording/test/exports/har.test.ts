import { describe, expect, it } from 'vitest';
import { toHar } from '../../src/index.ts';
import { BEGIN, pictureOf, STORY } from '../support/picture-of.ts';

const { log } = toHar(pictureOf(...STORY));
const [first, second, read, write] = log.entries;

describe('a HAR', () => {
  it('has an entry for each time that a call left', () => {
    expect(log.version).toBe('1.2');
    expect(log.entries.map(({ _call, _attempt }) => [_call, _attempt])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [4, 1],
    ]);
    expect(second).toMatchObject({
      startedDateTime: new Date(BEGIN + 70).toISOString(),
      time: 50,
      timings: { send: 0, wait: 50, receive: 0 },
      comment: 'tools/call search, again: it was reset',
    });
  });

  it('has the messages as bodies', () => {
    expect(second?.request).toMatchObject({ method: 'POST', url: 'https://[::1]:8443/mcp' });
    expect(JSON.parse(second?.request.postData.text ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'search', arguments: { text: 'a <b>' } },
    });
    expect(second?.response.status).toBe(200);
    expect(JSON.parse(second?.response.content.text ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 9,
      result: { content: [] },
    });
    expect(JSON.parse(read?.request.postData.text ?? '')).toMatchObject({
      params: { uri: 'file:///a' },
    });
    expect(JSON.parse(read?.response.content.text ?? '')).toMatchObject({
      error: { code: -32002, message: 'no such file' },
    });
  });

  it('has status 0 for what was not answered', () => {
    expect(first?.response).toMatchObject({ status: 0, statusText: 'sent again' });
    expect(write?.response).toMatchObject({ status: 0, statusText: 'timeout' });
    expect(write).toMatchObject({
      _certainty: 'outcome-unknown',
      request: { url: 'mcp://server/files' },
    });
  });

  it('has URLs that can be read', () => {
    for (const { request } of log.entries) expect(URL.canParse(request.url)).toBe(true);
  });

  it('is made of names and times that fit nowhere', () => {
    const odd = pictureOf(
      { type: 'call', call: 1, method: 'ping', at: 1e300, server: 'a/b \ud800' },
      { type: 'attempt', call: 1, attempt: 1, at: 1e300, server: 'a/b \ud800' },
    );
    expect(toHar(odd).log.entries).toMatchObject([
      {
        startedDateTime: '1970-01-01T00:00:00.000Z',
        request: { url: 'mcp://server/a%2Fb%20%EF%BF%BD' },
      },
    ]);
  });
});
