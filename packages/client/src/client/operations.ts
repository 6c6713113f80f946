import { requestContext } from '../connection/request-context.js';
import type { ReconnectingTransport } from '../connection/transport.js';
import { ConnectError, noteTask } from '../errors.js';
import type { Tally } from '../health/tally.js';
import { isCredentialName } from '../secrets/known-secrets.js';
import { Call, type SharedCallOptions } from './call.js';
import type { CurrentConnection } from './current-connection.js';
import { checkOperationOptions } from './options.js';
import { readPages } from './pages.js';
import { fromSdkError } from './sdk-errors.js';
import type { SdkSide } from './sdk-side.js';
import type { OperationOptions } from './types.js';
import type { UnderWay } from './under-way.js';

/** A handshake is made for all calls of a session: credentials of one of them do not reach it. */
function withPrincipalHint(error: unknown, { headers = {} }: OperationOptions): unknown {
  if (!(error instanceof ConnectError)) return error;
  const { code, summary, tried } = error;
  const isRefused = code === 'unauthorized' || code === 'forbidden';
  if (!isRefused || !Object.keys(headers).some(isCredentialName)) return error;
  const hint =
    'the credentials of a call do not reach the handshake; to connect with them use ' +
    'client.as(principal, { headers })';
  return new ConnectError(summary, { code, tried, hint, cause: error });
}

/** What {@link Operations} are made with. */
export interface OperationsOptions {
  connection: CurrentConnection;
  sdkSide: SdkSide;
  tally: Tally;
  shared: SharedCallOptions;
  underWay: UnderWay;
  /** Given what fails and belongs to no operation. */
  report: (error: unknown) => void;
}

/** Runs the operations of a client: each within its limits, on a connection that is ready, counted. */
export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Runs one operation on a connection whose handshake has succeeded. `tool` is what it calls. */
  async run<T>(
    what: string,
    options: OperationOptions,
    run: (connection: ReconnectingTransport, call: Call) => Promise<T>,
    tool?: string,
  ): Promise<T> {
    checkOperationOptions(options);
    const { connection: current, tally, shared, underWay } = this.#options;
    const { away } = current;
    underWay.check(what);
    const call = new Call(what, options, shared);
    underWay.enter(call);
    call.tool = tool;
    tally.begin(tool);
    try {
      away.enter(call);
      if (call.abandoned !== undefined) {
        // For a call that was aborted before, nothing is done.
        if (call.abandoned.code !== 'aborted') this.#dialAgain();
        throw call.abandoned;
      }
      const connection = current.ready ?? (await call.before(current.open()));
      call.sendOn(connection);
      const result = await run(connection, call);
      tally.succeeded(tool, call.startedAt, result);
      underWay.leave(call);
      return result;
    } catch (error) {
      tally.failed(tool, error, options);
      if (call.taskId !== undefined) noteTask(error, call.taskId);
      throw underWay.failed(call, withPrincipalHint(error, options));
    } finally {
      call.done();
    }
  }

  /** Connects, if there is no connection. It is no call: nobody waits for its end. */
  async connect(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { connection, shared } = this.#options;
    // `timeouts.connectMs` limits it.
    const limits = { ...options, timeoutMs: Infinity, deadlineMs: Infinity };
    const call = new Call('connecting', limits, shared);
    await call.during(connection.open().then((opened) => opened.open()));
  }

  /** A call was not to wait for a server that is away: others find it there, once it is back. */
  #dialAgain(): void {
    const { nextTryAt = Infinity } = this.#options.connection.away.absence ?? {};
    if (nextTryAt <= Date.now()) this.connect().catch(() => {});
  }

  /** Reads a list, however many pages it has, within the limits of one operation. */
  list<Entry>(
    { method, key, field }: { method: string; key: string; field: string },
    options: OperationOptions,
  ): Promise<Entry[]> {
    const { connection: current, report } = this.#options;
    return this.run(method, options, (connection, call) =>
      readPages<Entry>({
        method,
        key,
        field,
        ask: (params) => connection.request({ method, params }, call),
        bounds: current.listBounds,
        onMalformed: report,
      }),
    );
  }

  /** Makes a request whose result says only that it succeeded. */
  async ask(
    what: string,
    request: { method: string; params: Record<string, unknown> },
    options: OperationOptions,
  ): Promise<void> {
    await this.run(what, options, (connection, call) => connection.request(request, call));
  }

  /** Makes a request through the SDK's `Client`, where it does more. */
  throughSdk<Params extends object, T>(
    what: string,
    params: Params,
    options: OperationOptions,
    send: (params: Params) => Promise<T>,
  ): Promise<T> {
    const { sdkSide } = this.#options;
    return this.run(what, options, async (_connection, call) => {
      try {
        const sent = sdkSide.attached.then(() => send({ ...params, [requestContext]: call }));
        // Whatever the `Client` makes of the answer, the call's time limits hold.
        return await call.before(sent);
      } catch (error) {
        throw fromSdkError(error, what, call);
      }
    });
  }
}
