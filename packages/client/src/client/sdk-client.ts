import {
  Client,
  InMemoryResponseCacheStore,
  type CacheKey,
  type ClientCapabilities,
  type JsonSchemaValidator,
  type jsonSchemaValidator,
  type ResponseCacheStore,
} from '@modelcontextprotocol/client';
import { JsonSchema } from '../untrusted/json-schema.js';
import { VERSION } from '../version.js';
import type { ClientOptions } from './types.js';

/** The SDK's own timer, which must never be the one that ends a call. */
export const NEVER_MS = 2_147_483_647;

/**
 * How the SDK's client checks the results of calls that a program makes through it. It cannot wait: what
 * cannot be checked at once is not checked. The SDK's own validator would share the names of schemas
 * between servers, and run whatever a server sends.
 */
const validator: jsonSchemaValidator = {
  getValidator<T>(schema: unknown): JsonSchemaValidator<T> {
    const own = new JsonSchema(schema);
    return (value) => {
      const checked = own.checkInPlace(value);
      return checked?.kind === 'invalid'
        ? { valid: false, data: undefined, errorMessage: `${checked.path} ${checked.message}` }
        : { valid: true, data: value as T, errorMessage: undefined };
    };
  },
};

/**
 * The SDK keeps answers by method and URI alone: what one caller read, it would give to another. So
 * nothing stays fresh, and nothing is kept but the list of tools, which the SDK reads schemas from.
 */
class NoFreshAnswers extends InMemoryResponseCacheStore {
  override set(key: CacheKey, entry: Parameters<ResponseCacheStore['set']>[1]): number {
    return key.method === 'resources/read' ? 0 : super.set(key, { ...entry, expiresAt: 0 });
  }
}

/**
 * Makes the SDK's client, with the program's answers to what servers may ask. Each one given is
 * announced as a capability.
 */
export function createSdkClient({ clientInfo, handlers = {} }: ClientOptions): Client {
  const { roots, sampling, elicitation } = handlers;
  const capabilities: ClientCapabilities = {
    ...(roots && { roots: {} }),
    ...(sampling && { sampling: {} }),
    // Without it a form's defaults are left to the program's handler.
    ...(elicitation && { elicitation: { form: { applyDefaults: true } } }),
  };
  const client = new Client(clientInfo ?? { name: 'longwire', version: VERSION }, {
    capabilities,
    // The connection answers the probe itself for servers of the era before it.
    versionNegotiation: { mode: 'auto' },
    jsonSchemaValidator: validator,
    responseCacheStore: new NoFreshAnswers(),
  });
  if (roots !== undefined) {
    client.setRequestHandler('roots/list', async () => ({ roots: await roots() }));
  }
  if (sampling !== undefined) {
    client.setRequestHandler('sampling/createMessage', (request, context) =>
      sampling(request.params, { signal: context.mcpReq.signal }),
    );
  }
  if (elicitation !== undefined) {
    client.setRequestHandler('elicitation/create', (request, context) =>
      elicitation(request.params, { signal: context.mcpReq.signal }),
    );
  }
  return client;
}
