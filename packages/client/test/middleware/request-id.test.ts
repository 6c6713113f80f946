import { expect, it } from 'vitest';
import { requestId } from '../../src/middleware/index.ts';
import { around } from './support/around.ts';

it('gives every request another one, in header and metadata', async () => {
  const line = around(requestId());
  const { request, response } = line.send('tools/list');
  const id = line.asked[0]?.headers['x-request-id'];
  expect(id).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
  expect(request.metadata).toEqual({ requestId: id });
  expect((await response).metadata).toEqual({ requestId: id });
  await line.send('tools/list').response;
  expect(line.asked[1]?.headers['x-request-id']).not.toBe(id);
});

it('keeps one that is given, and the first when a request is sent again', async () => {
  let count = 0;
  const line = around([
    async (_request, next) => {
      await next();
      return next();
    },
    requestId({ header: 'X-Correlation', generate: () => `made-${++count}` }),
  ]);
  const header = await line.call('a', {}, { headers: { 'x-correlation': 'given' } });
  const metadata = await line.call('a', {}, { metadata: { requestId: 'passed' } });
  const made = await line.call('a');
  expect([header, metadata, made].map((response) => response.metadata['requestId'])).toEqual([
    'given',
    'passed',
    'made-1',
  ]);
  expect(line.asked.map(({ headers }) => headers['x-correlation'])).toEqual([
    'given',
    'given',
    'passed',
    'passed',
    'made-1',
    'made-1',
  ]);
});

it('a wrong option is refused by its name', () => {
  expect(() => requestId({ header: '' })).toThrow('requestId.header');
  expect(() => requestId({ header: 'content-length' })).toThrow('content-length');
  expect(() => requestId({ generate: 'uuid' } as object)).toThrow('requestId.generate');
  expect(() => requestId({ name: 'x' } as object)).toThrow('requestId.name: no such option');
});
