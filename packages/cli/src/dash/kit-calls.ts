import type { Call, CallOutcome } from '@longwire/server';
import type { RecordableError, RecordableRequest, RecordableResponse } from '@longwire/recording';

type JsonResult = Extract<CallOutcome, { kind: 'result' }>['result'];

/** What a person sees of them is only that they are there: they ask nothing, or have no end. */
const NOT_SHOWN: ReadonlySet<string> = new Set(['ping', 'subscriptions/listen']);

/** What records of calls are made with. */
export interface KitCallsOptions {
  readonly hasValues: boolean;
  /** Records a call of a principal; `next` comes to its end. */
  readonly record: (
    principal: string,
    request: RecordableRequest,
    next: () => Promise<RecordableResponse>,
  ) => void;
}

/** A call without an answer. */
interface OpenCall {
  readonly request: RecordableRequest;
  /** Whether its server has it. */
  isDelivered: boolean;
  readonly end: (outcome: CallOutcome) => void;
}

/** The calls of clients to a mount, told as a recorder takes them. */
export class KitCalls {
  readonly #options: KitCallsOptions;
  readonly #open = new Map<Call, OpenCall>();

  constructor(options: KitCallsOptions) {
    this.#options = options;
  }

  /** A call came. */
  begin(call: Call): undefined {
    if (NOT_SHOWN.has(call.method)) return;
    const { record, hasValues } = this.#options;
    const request = this.#requestOf(call);
    record(call.principal.id, request, () => {
      return new Promise((resolve, reject) => {
        const open: OpenCall = {
          request,
          isDelivered: false,
          end: (outcome) => {
            const { isDelivered } = open;
            if (outcome.kind === 'result') resolve({ result: keptOf(outcome.result, hasValues) });
            else reject(errorOf(outcome, { hasValues, isDelivered }));
          },
        };
        this.#open.set(call, open);
      });
    });
  }

  /** It reached its server. */
  deliver(call: Call): void {
    const open = this.#open.get(call);
    if (open === undefined) return;
    open.isDelivered = true;
    open.request.onSent?.();
  }

  /** Its server said how far it is. */
  progress(call: Call | undefined, params: Readonly<Record<string, unknown>> = {}): void {
    const request = call === undefined ? undefined : this.#open.get(call)?.request;
    const { progress, total, message } = params;
    if (request === undefined || typeof progress !== 'number') return;
    request.onProgress?.({
      progress,
      ...(typeof total === 'number' && { total }),
      ...(this.#options.hasValues && typeof message === 'string' && { message }),
    });
  }

  end(call: Call, outcome: CallOutcome): void {
    const open = this.#open.get(call);
    this.#open.delete(call);
    open?.end(outcome);
  }

  #requestOf({ id, method, params, target }: Call): RecordableRequest {
    const shown = method.startsWith('resources/') ? { uri: target } : { name: target };
    return {
      method,
      params: this.#options.hasValues ? params : shown,
      internal: false,
      // The end of a call is told, whatever ends it.
      signal: new AbortController().signal,
      route: { id },
      onProgress: () => undefined,
      redact: (text) => text,
      abort: () => undefined,
    };
  }
}

/** What a recorder is given where a call came to no result. */
function errorOf(
  outcome: Exclude<CallOutcome, { kind: 'result' }>,
  { hasValues, isDelivered }: { hasValues: boolean; isDelivered: boolean },
): RecordableError {
  switch (outcome.kind) {
    case 'error': {
      const { code: number, message } = outcome.error;
      // A gate that held it has answered in place of its server.
      if (!isDelivered) return { code: 'refused', certainty: 'refused', number, message };
      const shown = hasValues ? message : `the server answered with error ${number}`;
      return { code: 'server-error', certainty: 'answered', number, message: shown };
    }
    case 'refused': {
      const { reason = 'refused', code: number, message } = outcome.refusal;
      return { code: reason, certainty: 'refused', number, message };
    }
    case 'cancelled':
      return {
        code: 'aborted',
        certainty: 'outcome-unknown',
        message: 'its client cancelled it, or its session ended',
      };
  }
}

/** A result as it may be kept: without values, whether the tool says that it failed. */
function keptOf(result: JsonResult, hasValues: boolean): unknown {
  if (hasValues) return result;
  return result['isError'] === true ? { isError: true } : undefined;
}
