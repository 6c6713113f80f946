import {
  createRequestStateCodec,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';

/** Makes the codec of one server, for whoever it serves at the moment: `Principal.id`. */
export type RequestStates = (principal: () => string) => RequestStateCodec;

/**
 * Codecs with several keys: the first one seals, all of them open. What one principal was given, another
 * cannot use.
 *
 * @throws TypeError where there is no key, or one is too short.
 */
export function requestStates(
  keys: readonly (string | Uint8Array)[] = [randomBytes(32)],
): RequestStates {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError('requestStateKeys must be an array of one or more keys');
  }
  for (const [index, key] of keys.entries()) {
    try {
      createRequestStateCodec({ key });
    } catch (cause) {
      throw new TypeError(`requestStateKeys[${index}] must have 32 bytes or more`, { cause });
    }
  }
  return (principal) => {
    const bind = ({ mcpReq }: ServerContext): string =>
      JSON.stringify([mcpReq.method, principal()]);
    // Made when it is used: most servers never ask for input.
    let made: readonly RequestStateCodec[] | undefined;
    const codecs = (): readonly RequestStateCodec[] =>
      (made ??= keys.map((key) => createRequestStateCodec({ key, bind })));
    return {
      mint: async (payload, context) => {
        const [first] = codecs();
        if (first === undefined) throw new TypeError('there is no key');
        return first.mint(payload, context);
      },
      verify: async (state, context) => {
        let failure: unknown;
        for (const codec of codecs()) {
          try {
            return await codec.verify(state, context);
          } catch (error) {
            failure = error;
          }
        }
        throw failure;
      },
    };
  };
}
