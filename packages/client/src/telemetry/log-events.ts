import type { ConnectionState } from '../connection/state.js';
import type { LongwireError } from '../errors.js';
import { checkLogger, type Logger, type LogLevel } from '../middleware/logging.js';
import {
  errorAttributes,
  serverAttributes,
  transportAttributes,
  type Attributes,
} from './attributes.js';
import * as names from './names.js';
import {
  attributesOfClient,
  attributesOfServer,
  isClient,
  type ObservedClient,
  type ObservedGroup,
} from './sources.js';

/** A client or a pool, as far as its events are logged. */
export interface LoggedClient extends ObservedClient {
  on(event: 'state', listener: (state: ConnectionState) => void): () => void;
  on(event: 'error', listener: (error: LongwireError) => void): () => void;
}

/** A group, as far as its events are logged. */
export interface LoggedGroup extends ObservedGroup {
  on(
    event: 'state',
    listener: (event: { server: string; state: ConnectionState }) => void,
  ): () => void;
  on(
    event: 'error',
    listener: (event: { server: string; error: LongwireError }) => void,
  ): () => void;
}

const LEVELS: Readonly<Record<ConnectionState['name'], LogLevel>> = {
  idle: 'debug',
  connecting: 'debug',
  ready: 'info',
  reconnecting: 'warn',
  resting: 'error',
  closed: 'info',
};

/**
 * Logs a line at every change of a connection (`market: reconnecting, connection-lost`), and at every
 * failure that belongs to no call, of a client, a pool or a group. The fields have the names that
 * `logging` gives them, and `longwire.state`. A connection that is lost is a `warn`, one that rests an
 * `error`. What the logger throws is ignored.
 *
 * @returns a function that stops it.
 * @throws TypeError for a logger that lacks a method.
 */
export function logEvents(source: LoggedClient | LoggedGroup, logger: Logger): () => void {
  checkLogger('logEvents', logger);
  const write = (at: LogLevel, fields: object, message: string): void => {
    try {
      if (logger.isLevelEnabled?.(at) !== false) logger[at](fields, message);
    } catch {
      // What happens does not depend on whether it could be written down.
    }
  };
  const onState = (server: Attributes, state: ConnectionState): void => {
    const reason = 'reason' in state ? state.reason : undefined;
    const why = reason === undefined ? '' : `, ${reason.code}`;
    const fields = { ...server, ...stateFields(state), ...reasonFields(reason) };
    write(LEVELS[state.name], fields, `${server[names.SERVER_NAME]}: ${state.name}${why}`);
  };
  const onError = (server: Attributes, error: LongwireError): void => {
    const fields = { ...server, ...reasonFields(error) };
    write('warn', fields, `${server[names.SERVER_NAME]}: ${error.code}`);
  };
  const stops = isClient(source)
    ? [
        source.on('state', (state) => onState(attributesOfClient(source), state)),
        source.on('error', (error) => onError(attributesOfClient(source), error)),
      ]
    : [
        source.on('state', ({ server, state }) => onState(attributesIn(source, server), state)),
        source.on('error', ({ server, error }) => onError(attributesIn(source, server), error)),
      ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A server may have left the group. */
function attributesIn(group: LoggedGroup, server: string): Attributes {
  const status = group.status().find(({ name }) => name === server);
  return status === undefined ? serverAttributes(server, undefined) : attributesOfServer(status);
}

function stateFields(state: ConnectionState): object {
  const { name } = state;
  switch (name) {
    case 'ready': {
      const { transport, connectMs, resumed } = state;
      return { [names.STATE]: name, ...transportAttributes(transport), connectMs, resumed };
    }
    case 'connecting':
      return { [names.STATE]: name, attempt: state.attempt };
    case 'reconnecting': {
      const { attempt, maxAttempts, nextDelayMs } = state;
      return { [names.STATE]: name, attempt, maxAttempts, nextDelayMs };
    }
    default:
      return { [names.STATE]: name };
  }
}

function reasonFields(reason: LongwireError | undefined): object {
  return reason === undefined ? {} : { ...errorAttributes(reason), error: reason.message };
}
