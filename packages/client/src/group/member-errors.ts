import { LongwireError } from '../errors.js';

/** Nothing is asked of a server that is disabled. */
export function disabledError(what: string, server: string): LongwireError {
  return new LongwireError(`${what} was not made: the server ${server} is disabled`, {
    code: 'unknown-tool',
    certainty: 'not-sent',
    hint: 'enable it first',
  });
}

/** A source of tools that is no client cannot be connected anew. */
export function noConnectionError(server: string): LongwireError {
  return new LongwireError(`${server} has no connection of its own to be made anew`, {
    code: 'config',
    certainty: 'not-sent',
  });
}
