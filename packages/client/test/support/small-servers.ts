import { afterEach } from 'vitest';
import type { HttpFixture } from '../../../../test/support/http-fixture.ts';
import { startSmallServer, type HttpHabits } from '../../../../test/support/small-server.ts';

/** Small servers, which end with the test that started them; so does whatever else is put into `open`. */
export function smallServers(): {
  open: AsyncDisposable[];
  serve: (habits: HttpHabits) => Promise<HttpFixture>;
} {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const thing of open.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
  });
  const serve = async (habits: HttpHabits): Promise<HttpFixture> => {
    const server = await startSmallServer(habits);
    open.push(server);
    return server;
  };
  return { open, serve };
}
