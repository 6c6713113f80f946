/** What a client can be asked to do; what it has no way for is missing. */
export interface LookingClient extends AsyncDisposable {
  /** Names of the tools. */
  tools(): Promise<string[]>;
  /** The text of the result. Aborted, it is rejected. */
  call(name: string, args?: object, options?: LookingOptions): Promise<string>;
  /** Fulfilled once the client will be told when a resource changes. */
  subscribe?(uri: string): Promise<void>;
  /** The resources that it was told of, in order. */
  readonly updates?: readonly string[];
}

/** Of one call. */
export interface LookingOptions {
  signal?: AbortSignal;
  onProgress?: (step: string) => void;
}

export type OpenLooking = (origin: string) => Promise<LookingClient>;

/** What the client of a test answers, when it is asked. */
export const ELICITED = { action: 'accept', content: { name: 'Ada' } } as const;
export const SAMPLED = {
  role: 'assistant',
  content: { type: 'text', text: 'Paris' },
  model: 'none',
} as const;

export const IDENTITY = { name: 'test', version: '0' };
