import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../packages/cli/test/run.ts';
import { startEverything, type Peer } from '../support/peers.ts';
import { nginxCommand, startNginx } from './nginx.ts';

const command = nginxCommand();
if (command === undefined && process.env['CI']) throw new Error('there is no nginx');
if (command === undefined) console.log('left out: nginx is not installed');

interface Step {
  name: string;
  status: string;
  detail: string;
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** What the command says of a server behind nginx; `location` is how nginx passes requests on. */
async function doctorBehind(
  peer: Peer,
  location: string,
  ...args: string[]
): Promise<{ code: number; broken: string | undefined; hint: string; last: Step }> {
  const { origin, pathname } = new URL(peer.url);
  const nginx = await startNginx(
    command as string,
    `server { listen PORT; location / { proxy_pass ${origin}; ${location} } }`,
  );
  open.push(nginx);
  const all = ['doctor', '--json', nginx.origin + pathname, ...args];
  const { code, stdout } = await run(all);
  const {
    steps,
    broken,
    hint = '',
  } = JSON.parse(stdout) as {
    steps: Step[];
    broken?: string;
    hint?: string;
  };
  return { code, broken, hint, last: steps.at(-1) as Step };
}

describe.skipIf(command === undefined).each(['sse', 'streamableHttp'] as const)('%s', (mode) => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startEverything({ mode });
    return () => peer.stop();
  });

  it('behind a proxy that holds events back', async () => {
    // The server asks it not to, where it knows the header.
    const buffering = 'proxy_ignore_headers X-Accel-Buffering;';
    const { code, broken, hint } = await doctorBehind(peer, buffering, '--timeout', '8s');
    expect({ code, broken }).toEqual({ code: 6, broken: 'stream' });
    expect(hint).toContain('proxy_buffering off;');
  });

  it('behind a proxy that cuts what is silent', async () => {
    const cutting = 'proxy_buffering off; proxy_read_timeout 1s;';
    const { code, last } = await doctorBehind(peer, cutting, '--wait', '20s');
    expect(last.name).toBe('stream');
    expect(last.detail).toMatch(/^it was cut after .* of silence$/);
    // A session of HTTP+SSE is lost with its stream.
    expect([code, last.status]).toEqual(mode === 'sse' ? [6, 'failed'] : [0, 'warning']);
  });

  it('behind a proxy that passes events on', async () => {
    const { code, last } = await doctorBehind(peer, 'proxy_buffering off;', '--wait', '500ms');
    expect(code).toBe(0);
    expect(last).toMatchObject({ name: 'stream', status: 'ok' });
  });
});
