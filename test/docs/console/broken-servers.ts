import { expired } from '../../support/certificates.ts';
import { startHttpFixture } from '../../support/http-fixture.ts';
import { startEverything } from '../../support/peers.ts';
import { startTlsFront } from '../../support/tls-front.ts';
import { nginxCommand, startNginx } from '../../proxies/nginx.ts';

/** A server that something is wrong with, while it runs. */
interface BrokenServer extends AsyncDisposable {
  /** Anywhere on it: only the port counts. */
  readonly url: string;
}

/** What a server needs is not installed here. */
export class NotInstalled extends Error {}

/** A server of https, whose certificate was of the year 2024. */
export async function startExpired(): Promise<BrokenServer> {
  const front = await startTlsFront('http://127.0.0.1:9', expired);
  return { url: front.origin, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() };
}

/** A site of web pages, and nothing else. */
export async function startWebPages(): Promise<BrokenServer> {
  const site = await startHttpFixture((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Weather Inc.</title><h1>Weather for everybody</h1>');
  });
  return { url: site.origin, [Symbol.asyncDispose]: () => site.close() };
}

/** server-everything over HTTP+SSE, behind an nginx as it is without a line about events. */
export async function startBufferingNginx(): Promise<BrokenServer> {
  const command = nginxCommand();
  if (command === undefined) throw new NotInstalled('nginx is not installed');
  const peer = await startEverything({ mode: 'sse' });
  const { origin } = new URL(peer.url);
  const nginx = await startNginx(
    command,
    `server { listen PORT; location / { proxy_pass ${origin}; } }`,
  );
  return {
    url: nginx.origin,
    [Symbol.asyncDispose]: async () => {
      await nginx[Symbol.asyncDispose]();
      await peer.stop();
    },
  };
}
