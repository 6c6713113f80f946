import type { PrincipalOption } from '../options/principal-options.js';
import { mayHaveHeaders } from './principals.js';
import type { ToolSource } from './types.js';

/**
 * A source as one principal. Credentials go with it where its server is reached by HTTP.
 *
 * @throws TypeError for a source that knows no principals, and for what `as` does not take.
 */
export function sourceAs(source: ToolSource, { id, ...credentials }: PrincipalOption): ToolSource {
  if (source.as === undefined) {
    throw new TypeError(
      `principal: ${source.name} is a source of tools without a method as, so that it knows no ` +
        'principals: give a client or a group instead',
    );
  }
  return source.as(id, mayHaveHeaders(source) ? credentials : undefined);
}
