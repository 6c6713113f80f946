import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { countOpenHandles } from './open-handles.ts';

test('names a server and a timer that were left open, and is content once they are closed', async () => {
  const handles = await countOpenHandles();
  await handles.expectNoneLeft();

  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  await expect(handles.expectNoneLeft()).rejects.toThrow('1 TCPServerWrap');
  server.close();
  await handles.expectNoneLeft();

  const timer = setTimeout(() => {}, 60_000);
  await expect(handles.expectNoneLeft()).rejects.toThrow('1 Timeout');
  clearTimeout(timer);
  await handles.expectNoneLeft();
});
