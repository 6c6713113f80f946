import type { Result, StandardSchemaV1 } from '@modelcontextprotocol/client';

/**
 * A schema that accepts every result as it is. The SDK's own schemas strip fields they do not
 * know, and reject a whole list for one malformed entry; what must hold is checked where the
 * result is used.
 */
export const passThrough: StandardSchemaV1<Result, Result> = {
  '~standard': {
    version: 1,
    vendor: 'longwire',
    validate: (value) => ({ value: value as Result }),
  },
};
