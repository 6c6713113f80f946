import { FAULT_KINDS, type Fault, type FaultKind } from './fault.js';
import { SEEDS } from './random.js';

/** Which faults there are, and how often. */
export interface FaultOptions {
  /**
   * How often each kind is drawn in proportion to the others; 0 is never. Default 1 for each kind
   * that is not named.
   */
  weights?: Partial<Record<FaultKind, number>>;
  /**
   * The mean number of bytes that pass in one direction of a connection before a fault strikes it
   * by itself. Default: none strikes by itself.
   */
  everyBytes?: number;
  /** How many faults strike by themselves in all. Default: no limit. */
  max?: number;
  /** The longest `delay`, in milliseconds. Default 50. */
  delayMs?: number;
  /** The longest `refuse`, in milliseconds. Default 50. */
  refuseMs?: number;
}

/** Options of a faulty proxy. */
export interface FaultyProxyOptions {
  /** Where connections are passed on to. Of a URL, only the host and the port matter. */
  target: string | URL | { host: string; port: number };
  /** Decides everything that is random: a whole number from 0 to 4 294 967 295. Default: any. */
  seed?: number;
  /** Which faults there are, and how often. Default: none by themselves. */
  faults?: FaultOptions;
  /**
   * Told of each fault as it strikes, and of the number of its connection, counted from 1 as they
   * are accepted; 0 for a fault that strikes no connection.
   */
  onFault?: (fault: Readonly<Fault>, connection: number) => void;
}

/** Fault options with the defaults filled in. */
export interface ResolvedFaultOptions {
  weights: Record<FaultKind, number>;
  everyBytes: number;
  max: number;
  delayMs: number;
  refuseMs: number;
}

/** A seed nobody chose. */
export function anySeed(): number {
  return Math.floor(Math.random() * SEEDS);
}

/**
 * Checks fault options and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveFaultOptions(options: FaultOptions = {}): ResolvedFaultOptions {
  const { weights: given = {}, everyBytes, max, delayMs, refuseMs } = options;
  for (const kind of Object.keys(given)) {
    if (!(FAULT_KINDS as readonly string[]).includes(kind)) {
      throw new TypeError(`faults.weights.${kind}: no such fault; there are ${FAULT_KINDS.join()}`);
    }
  }
  const weights = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, atLeastZero(`weights.${kind}`, given[kind], 1)]),
  ) as Record<FaultKind, number>;
  if (Object.values(weights).every((weight) => weight === 0)) {
    throw new TypeError('faults.weights: all are 0');
  }
  if (everyBytes !== undefined && !(everyBytes > 0)) {
    throw new TypeError(`faults.everyBytes: ${everyBytes} is not a number above 0`);
  }
  return {
    weights,
    everyBytes: everyBytes ?? Infinity,
    max: atLeastZero('max', max, Infinity),
    delayMs: atLeastZero('delayMs', delayMs, 50),
    refuseMs: atLeastZero('refuseMs', refuseMs, 50),
  };
}

/**
 * The host and the port of a target.
 *
 * @throws TypeError for what is no target.
 */
export function addressOf(target: FaultyProxyOptions['target']): { host: string; port: number } {
  if (typeof target === 'object' && !(target instanceof URL)) return target;
  const { protocol, hostname, port } = new URL(target);
  const usual: Record<string, number> = { 'http:': 80, 'https:': 443 };
  const number = port === '' ? usual[protocol] : Number(port);
  if (number === undefined) throw new TypeError(`target: ${String(target)} names no port`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: number };
}

function atLeastZero(name: string, value: number | undefined, usual: number): number {
  if (value === undefined) return usual;
  if (typeof value === 'number' && value >= 0) return value;
  throw new TypeError(`faults.${name}: ${String(value)} is not a number from 0 on`);
}
