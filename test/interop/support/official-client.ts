import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
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
  return clientOf(sdk);
}

/** Connects the official client to a program, in the older era. */
export async function connectOfficialCommand(command: {
  command: string;
  args: string[];
  env?: Record<string, string>;
}): Promise<OfficialClient> {
  const sdk = new Client({ name: 'reference', version: '0' });
  await sdk.connect(new StdioClientTransport({ ...command, stderr: 'ignore' }));
  return clientOf(sdk);
}

function clientOf(sdk: Client): OfficialClient {
  return {
    sdk,
    raw: (method, params = {}) => sdk.request({ method, params }, z.looseObject({})),
    [Symbol.asyncDispose]: () => sdk.close(),
  };
}
