import { credentialsOf, withoutCredentials, type ClientRequest } from '../client-request.js';
import type { IncomingHttpHeaders } from 'node:http';
import type { SessionRecord } from './session-store.js';

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
  { headers }: ClientRequest,
  { headers: opened }: Pick<SessionRecord, 'headers'>,
): IncomingHttpHeaders {
  return opened === undefined ? headers : { ...opened, ...credentialsOf(headers) };
}

/** What a record may have of the headers of a request: nothing that lets anybody in. */
export function headersToKeep({ headers }: ClientRequest): IncomingHttpHeaders {
  return withoutCredentials(headers);
}
