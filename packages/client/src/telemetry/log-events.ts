import type { Waiting } from '../client/types.js';
import type { ConnectionState } from '../connection/state.js';
import type { LongwireError } from '../errors.js';
import type { BreakerState, BreakerStatus } from '../health/breaker.js';
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
  type ObservedPoolStatus,
} from './sources.js';

/** A call that waits for a server that is away. */
type LoggedWaiting = Pick<Waiting, 'what' | 'reason'>;

/** A client or a pool, as far as its events are logged. */
export interface LoggedClient extends ObservedClient {
  on(event: 'state', listener: (state: ConnectionState) => void): () => void;
  on(event: 'error', listener: (error: LongwireError) => void): () => void;
  on(event: 'waiting', listener: (waiting: LoggedWaiting) => void): () => void;
}

/** A pool, as far as its events are logged. */
export interface LoggedPool extends LoggedClient {
  status(): ObservedPoolStatus;
  on(event: 'state', listener: (state: ConnectionState) => void): () => void;
  on(event: 'error', listener: (error: LongwireError) => void): () => void;
  on(event: 'waiting', listener: (waiting: LoggedWaiting) => void): () => void;
  on(event: 'breaker', listener: (breaker: BreakerStatus) => void): () => void;
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
  on(event: 'waiting', listener: (event: { server: string } & LoggedWaiting) => void): () => void;
  on(
    event: 'breaker',
    listener: (event: { server: string; breaker: BreakerStatus }) => void,
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

const BREAKER_LEVELS: Readonly<Record<BreakerState, LogLevel>> = {
  closed: 'info',
  'half-open': 'warn',
  open: 'error',
};

/**
 * Logs a line at every change of a connection (`market: reconnecting, connection-lost`) or of a circuit
 * breaker, when a call begins to wait for a server that is away, and at every failure that belongs to no
 * call, of a client, a pool or a group. The fields have the names that `logging` gives them, and
 * `longwire.state` or `longwire.breaker`. A connection that is lost is a `warn`, one that rests an `error`,
 * and so is a breaker that opens. What the logger throws is ignored.
 *
 * @returns a function that stops it.
 * @throws TypeError for a logger that lacks a method.
 */
export function logEvents(
  source: LoggedClient | LoggedPool | LoggedGroup,
  logger: Logger,
): () => void {
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
  const onBreaker = (server: Attributes, { state, failures, lastError }: BreakerStatus): void => {
    const reason = lastError === undefined ? {} : { [names.ERROR_TYPE]: lastError.code };
    const fields = { ...server, [names.BREAKER]: state, failures, ...reason };
    write(BREAKER_LEVELS[state], fields, `${server[names.SERVER_NAME]}: breaker ${state}`);
  };
  const onWaiting = (server: Attributes, { what, reason }: LoggedWaiting): void => {
    const fields = { ...server, waiting: what, ...reasonFields(reason) };
    write('warn', fields, `${server[names.SERVER_NAME]}: ${what} waits, ${reason.code}`);
  };
  const stops = isClient(source)
    ? [
        source.on('state', (state) => onState(attributesOfClient(source), state)),
        source.on('error', (error) => onError(attributesOfClient(source), error)),
        source.on('waiting', (waiting) => onWaiting(attributesOfClient(source), waiting)),
        ...(isPool(source)
          ? [source.on('breaker', (breaker) => onBreaker(attributesOfClient(source), breaker))]
          : []),
      ]
    : [
        source.on('state', ({ server, state }) => onState(attributesIn(source, server), state)),
        source.on('error', ({ server, error }) => onError(attributesIn(source, server), error)),
        source.on('waiting', (event) => onWaiting(attributesIn(source, event.server), event)),
        source.on('breaker', (event) =>
          onBreaker(attributesIn(source, event.server), event.breaker),
        ),
      ];
  return () => {
    for (const stop of stops) stop();
  };
}

function isPool(source: LoggedClient | LoggedPool): source is LoggedPool {
  return typeof source.status === 'function';
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
