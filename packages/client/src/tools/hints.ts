/** What a server says of running one of its tools. */
export interface ToolHints {
  /** Whether the tool only reads. */
  isReadOnly(tool: unknown): boolean;
  /** Whether running the tool twice is no more than running it once. */
  isSafe(tool: unknown): boolean;
}

const hintsByClient = new WeakMap<object, ToolHints>();

/** Lets middlewares find the hints by `client` of their requests. */
export function publishHints(client: object, hints: ToolHints): void {
  hintsByClient.set(client, hints);
}

/** What the server of a client says of its tools, as far as they were listed. */
export function hintsOf(client: object): ToolHints | undefined {
  return hintsByClient.get(client);
}
