import type { CallOrigin } from '../calls/client-call.js';
import type { IncomingHttpHeaders } from 'node:http';
import type { SessionRecord } from './session-store.js';

/** The request that meets a session: what one that is taken over by it knows of its client. */
export type SessionOrigin = CallOrigin['request'];

/** A session that another node of the cluster has. */
export class ElsewhereSession {
  readonly node: string;
  readonly record: SessionRecord;

  constructor(node: string, record: SessionRecord) {
    this.node = node;
    this.record = record;
  }
}

/** Of the request that opened a session, with the credentials of the one that met it since. */
export function headersOf(
  { headers }: SessionOrigin,
  { headers: opened }: Pick<SessionRecord, 'headers'>,
): IncomingHttpHeaders {
  if (opened === undefined) return headers;
  const { authorization, cookie } = headers;
  return {
    ...opened,
    ...(authorization !== undefined && { authorization }),
    ...(cookie !== undefined && { cookie }),
  };
}

/** What a record may have of the headers of a request: nothing that lets anybody in. */
export function headersToKeep({ headers }: SessionOrigin): IncomingHttpHeaders {
  const { authorization: _, cookie: __, 'proxy-authorization': ___, ...kept } = headers;
  return kept;
}
