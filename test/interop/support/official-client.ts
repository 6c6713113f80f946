import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import * as z from 'zod';

/** The official client of the protocol, connected, for what ours is compared with. */
export interface OfficialClient extends AsyncDisposable {
  readonly sdk: Client;
  /** The result of a request as the server sent it: nothing is checked, and nothing left out. */
  raw(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** Connects the official client, in the latest era that both know, over what the path names. */
export async function connectOfficial(address: string): Promise<OfficialClient> {
  const url = new URL(address);
  const isSse = url.pathname.endsWith('/sse');
  const sdk = new Client(
    { name: 'reference', version: '0' },
    { versionNegotiation: { mode: isSse ? 'legacy' : 'auto' } },
  );
  const Transport = isSse ? SSEClientTransport : StreamableHTTPClientTransport;
  await sdk.connect(new Transport(url));
  return {
    sdk,
    raw: (method, params = {}) => sdk.request({ method, params }, z.looseObject({})),
    [Symbol.asyncDispose]: () => sdk.close(),
  };
}
