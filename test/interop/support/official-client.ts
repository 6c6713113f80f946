import { Client, SSEClientTransport } from '@modelcontextprotocol/client';
import * as z from 'zod';

/** The official client of the protocol, connected, for what ours is compared with. */
export interface OfficialClient extends AsyncDisposable {
  readonly sdk: Client;
  /** The result of a request as the server sent it: nothing is checked, and nothing left out. */
  raw(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** Connects the official client over HTTP+SSE. */
export async function connectOfficial(url: string): Promise<OfficialClient> {
  const sdk = new Client({ name: 'reference', version: '0' });
  await sdk.connect(new SSEClientTransport(new URL(url)));
  return {
    sdk,
    raw: (method, params = {}) => sdk.request({ method, params }, z.looseObject({})),
    [Symbol.asyncDispose]: () => sdk.close(),
  };
}
