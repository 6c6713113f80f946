/**
 * What a client is driven by: the least that all of them can do. Options are Longwire's; an adapter
 * turns them into what its client has for the same end, and leaves out what it has nothing for.
 *
 * @typedef {'sse' | 'streamable' | 'stateless' | 'eras' | 'stdio' | 'tool-events'} Transport
 * `eras`: Streamable HTTP to a server that changes its era
 *
 * @typedef {string | { command: string, args: string[] }} Target
 *
 * @typedef {object} ConnectOptions
 * @property {Transport} [transport] for a client that has to be told
 * @property {number} [connectMs]
 * @property {{ maxAttempts?: number, firstDelayMs?: number, maxDelayMs?: number }} [retry]
 * @property {{ silenceMs?: number, timeoutMs?: number }} [heartbeat]
 * @property {number} [maxEventBytes]
 * @property {number} [listenerMs] how long each notification keeps the program busy
 *
 * @typedef {object} CallOptions
 * @property {number} [timeoutMs] idle time, started anew by progress
 * @property {number} [deadlineMs] hard cap
 * @property {boolean} [idempotent]
 *
 * @typedef {object} AdapterOptions what an adapter is opened with
 * @property {(name: string) => any} load loads the package of the client
 * @property {() => void} onNotification
 * @property {() => void} onToolsChanged
 * @property {(state: string) => void} onState
 * @property {(message: string) => Promise<{ action: 'accept', content: { echo: string } }>} elicit
 *   answers `elicitation/create`
 *
 * @typedef {object} CallResult
 * @property {{ type: string, text?: string }[]} content
 * @property {boolean | undefined} [isError]
 *
 * @typedef {object} Adapter
 * @property {(target: Target, options: ConnectOptions) => void} create without connecting
 * @property {(signal: AbortSignal) => Promise<void>} connect
 * @property {() => Promise<number>} listTools
 * @property {(tool: string, args: Record<string, unknown>, options: CallOptions & {
 *   signal: AbortSignal, onProgress: () => void }) => Promise<CallResult>} call
 * @property {() => Promise<void>} close
 * @property {() => number | undefined} droppedAnswers answers that belonged to no request, if it
 *   counts them or reports each
 */

export {};
