/** How a run's client and server talk. */
export type TransportName = 'sse' | 'streamable-http' | 'stateless' | 'stdio';

/** One transport, in one of its forms. */
export interface Variant {
  /** What it is called in a report. */
  name: string;
  transport: TransportName;
  /** Whether its events have ids, so that a broken stream can be resumed. */
  resumable: boolean;
  /** How many faults of others one of its own costs: to start a process takes its time. */
  faultCost: number;
}

/** Everything that calls are made over. */
export const VARIANTS: readonly Variant[] = [
  { name: 'HTTP+SSE', transport: 'sse', resumable: false, faultCost: 1 },
  { name: 'HTTP+SSE, resumable', transport: 'sse', resumable: true, faultCost: 1 },
  { name: 'Streamable HTTP', transport: 'streamable-http', resumable: false, faultCost: 1 },
  {
    name: 'Streamable HTTP, resumable',
    transport: 'streamable-http',
    resumable: true,
    faultCost: 1,
  },
  { name: 'stateless Streamable HTTP', transport: 'stateless', resumable: false, faultCost: 1 },
  { name: 'stdio', transport: 'stdio', resumable: false, faultCost: 10 },
];

/** The only one with this name and these streams. */
export function variantOf(transport: TransportName, resumable = false): Variant {
  const found = VARIANTS.find(
    (variant) => variant.transport === transport && variant.resumable === resumable,
  );
  if (found === undefined) throw new TypeError(`there is no such ${transport}`);
  return found;
}
