import {
  createRequestStateCodec,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';

/**
 * A codec with several keys: the first one seals, all of them open. What one principal was given,
 * another cannot use.
 *
 * @throws TypeError where there is no key; RangeError for one that is too short.
 */
export function requestStateCodec(
  keys: readonly (string | Uint8Array)[] = [randomBytes(32)],
): RequestStateCodec {
  const codecs = keys.map((key) => createRequestStateCodec({ key, bind: bindingOf }));
  const [first] = codecs;
  if (first === undefined) throw new TypeError('requestStateKeys must hold a key');
  return {
    mint: (payload, context) => first.mint(payload, context),
    verify: async (state, context) => {
      let failure: unknown;
      for (const codec of codecs) {
        try {
          return await codec.verify(state, context);
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
  };
}

function bindingOf({ mcpReq, http }: ServerContext): string {
  return JSON.stringify([mcpReq.method, http?.authInfo?.clientId ?? null]);
}
