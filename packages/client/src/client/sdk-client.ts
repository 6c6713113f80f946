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

/** What the SDK's client is made with, beside what the program gives. */
export interface SdkClientSettings {
  /** Called while the program answers the server; the function returned when it has. */
  hold: () => () => void;
  /** For whom the session is. */
  principal: string | undefined;
}

/**
 * Makes the SDK's client, with the program's answers to what servers may ask. Each one given is
 * announced as a capability.
 */
export function createSdkClient(
  { clientInfo, handlers = {} }: ClientOptions,
  { hold, principal }: SdkClientSettings,
): Client {
  const { roots, sampling, elicitation, urlElicitation } = handlers;
  const capabilities: ClientCapabilities = {
    ...(roots && { roots: {} }),
    ...(sampling && { sampling: {} }),
    ...((elicitation ?? urlElicitation) && {
      elicitation: {
        // Without it a form's defaults are left to the program's handler.
        ...(elicitation && { form: { applyDefaults: true } }),
        ...(urlElicitation && { url: {} }),
      },
    }),
  };
  const client = new Client(clientInfo ?? { name: 'longwire', version: VERSION }, {
    capabilities,
    // The connection answers the probe itself for servers of the era before it.
    versionNegotiation: { mode: 'auto' },
    jsonSchemaValidator: validator,
    responseCacheStore: new NoFreshAnswers(),
  });
  const held = async <Answer>(answer: () => Answer | Promise<Answer>): Promise<Answer> => {
    const release = hold();
    try {
      return await answer();
    } finally {
      release();
    }
  };
  if (roots !== undefined) {
    client.setRequestHandler('roots/list', async () => ({
      roots: await held(() => roots({ principal })),
    }));
  }
  if (sampling !== undefined) {
    client.setRequestHandler('sampling/createMessage', ({ params }, { mcpReq: { signal } }) =>
      held(() => sampling(params, { signal, principal })),
    );
  }
  // The SDK refuses a mode that is not announced.
  if (elicitation !== undefined || urlElicitation !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }, { mcpReq: { signal } }) =>
      held(async () => {
        const answer =
          params.mode === 'url'
            ? urlElicitation?.(params, { signal, principal })
            : elicitation?.(params, { signal, principal });
        return (await answer) ?? { action: 'decline' };
      }),
    );
  }
  return client;
}
