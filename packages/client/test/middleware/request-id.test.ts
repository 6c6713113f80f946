import { expect, it } from 'vitest';
import { requestId } from '../../src/middleware/index.ts';
import { around } from './support/around.ts';

it('gives every request another one, in header and metadata', async () => {
  const rig = around(requestId());
  const { request, response } = rig.send('tools/list');
  const id = rig.asked[0]?.headers['x-request-id'];
  expect(id).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
  expect(request.metadata).toEqual({ requestId: id });
  expect((await response).metadata).toEqual({ requestId: id });
  await rig.send('tools/list').response;
  expect(rig.asked[1]?.headers['x-request-id']).not.toBe(id);
});

it('keeps one that is given, and the first when a request is sent again', async () => {
  let count = 0;
  const rig = around([
    async (_request, next) => {
      await next();
      return next();
    },
    requestId({ header: 'X-Correlation', generate: () => `made-${++count}` }),
  ]);
  const header = await rig.call('a', {}, { headers: { 'x-correlation': 'given' } });
  const metadata = await rig.call('a', {}, { metadata: { requestId: 'passed' } });
  const made = await rig.call('a');
  expect([header, metadata, made].map((response) => response.metadata['requestId'])).toEqual([
    'given',
    'passed',
    'made-1',
  ]);
  expect(rig.asked.map(({ headers }) => headers['x-correlation'])).toEqual([
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
