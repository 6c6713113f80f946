import { FAULT_KINDS, type Fault, type FaultKind, type FaultLimits } from './fault.js';
import { checkDuration, checkGroup, checkNumber } from './option-checks.js';
import { SEEDS } from './random.js';

/** Which faults happen, and how often. */
export interface FaultOptions {
  /**
   * How often each kind is drawn in proportion to the others; 0: never. Default 1 for each kind that
   * is not named.
   */
  weights?: Partial<Record<FaultKind, number>>;
  /**
   * The mean number of bytes that pass in one direction of a connection before a fault happens by
   * itself. Default: no fault happens by itself.
   */
  everyBytes?: number;
  /** How many faults happen by themselves, all together. Default: no limit. */
  max?: number;
  /** The longest `delay`, in milliseconds. Default 50. */
  delayMs?: number;
  /** The longest `refuse`, in milliseconds. Default 50. */
  refuseMs?: number;
}

/** Options of a faulty proxy. */
export interface FaultyProxyOptions {
  /** Where the proxy connects to. Of a URL, only the host and the port count. */
  target: string | URL | { host: string; port: number };
  /** Decides everything that is random: a whole number from 0 to 4 294 967 295. Default: any. */
  seed?: number;
  /** Which faults happen, and how often. Default: none by themselves. */
  faults?: FaultOptions;
  /**
   * Called when a fault happens, with the number of its connection: 1 for the first accepted one; 0
   * for a fault without a connection.
   */
  onFault?: (fault: Readonly<Fault>, connection: number) => void;
}

/** Fault options with the defaults filled in. */
export interface ResolvedFaultOptions extends FaultLimits {
  everyBytes: number;
  max: number;
}

/** A random seed. */
export function anySeed(): number {
  return Math.floor(Math.random() * SEEDS);
}

/**
 * Checks the options of a proxy as a whole.
 *
 * @throws TypeError that names the option.
 */
export function checkProxyOptions(options: FaultyProxyOptions): void {
  checkGroup('', options, ['target', 'seed', 'faults', 'onFault']);
  if (options.onFault !== undefined && typeof options.onFault !== 'function') {
    throw new TypeError('onFault: must be a function');
  }
}

/**
 * Checks fault options and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveFaultOptions(options: FaultOptions = {}): ResolvedFaultOptions {
  checkGroup('faults', options, ['weights', 'everyBytes', 'max', 'delayMs', 'refuseMs']);
  const { everyBytes = Infinity, max = Infinity, delayMs = 50, refuseMs = 50 } = options;
  if (typeof everyBytes !== 'number' || !(everyBytes > 0)) {
    throw new TypeError('faults.everyBytes: must be a number above 0');
  }
  checkNumber('faults.max', max, 0, Infinity);
  checkDuration('faults.delayMs', delayMs);
  checkDuration('faults.refuseMs', refuseMs);
  return { weights: resolveWeights(options.weights), everyBytes, max, delayMs, refuseMs };
}

function resolveWeights(given: FaultOptions['weights'] = {}): Record<FaultKind, number> {
  checkGroup('faults.weights', given, FAULT_KINDS);
  const weights = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, given[kind] ?? 1])) as Record<
    FaultKind,
    number
  >;
  for (const kind of FAULT_KINDS) checkNumber(`faults.weights.${kind}`, weights[kind], 0);
  if (Object.values(weights).every((weight) => weight === 0)) {
    throw new TypeError('faults.weights: at least one must be above 0');
  }
  return weights;
}

/**
 * The host and the port of a target.
 *
 * @throws TypeError for anything else than a target.
 */
export function addressOf(target: FaultyProxyOptions['target']): { host: string; port: number } {
  if (typeof target === 'string' || target instanceof URL) return addressOfUrl(target);
  if (typeof target !== 'object' || target === null) throw noTarget();
  const { host, port } = target;
  if (host === undefined && port === undefined) throw noTarget();
  if (typeof host !== 'string' || host === '') {
    throw new TypeError('target.host: must be the name or the address of a host');
  }
  if (!isPort(port)) throw new TypeError('target.port: must be a whole number from 1 to 65535');
  return { host, port };
}

function addressOfUrl(target: string | URL): { host: string; port: number } {
  const url = URL.canParse(String(target)) ? new URL(target) : undefined;
  if (url === undefined || url.hostname === '') throw noTarget();
  const usual: Record<string, number> = { 'http:': 80, 'https:': 443 };
  const port = url.port === '' ? usual[url.protocol] : Number(url.port);
  if (!isPort(port)) {
    throw new TypeError(`target: a URL of ${url.protocol} must name a port from 1 to 65535`);
  }
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function noTarget(): TypeError {
  return new TypeError('target: must be a URL such as http://127.0.0.1:3001, or { host, port }');
}
