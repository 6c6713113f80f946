/** What the API did not like about a request that it answered 400 or 413. */
export interface ApiRejection {
  /** The position in `tools` of the one tool that it named. */
  tool: number | undefined;
  /** Whether it is the messages: with the same ones, every later request would fail as well. */
  aboutContent: boolean;
  /** The API's own words. */
  message: string;
}

/**
 * The API says `invalid_request_error` of an account without credit as it does of a bad message, and
 * gives no code for the latter; so its words tell. They begin with a path into the messages, except
 * where the request is too long or something in it cannot be read. What is not known here counts as
 * no fault of the messages: to keep results that are refused again is better than to lose good ones.
 */
const contentComplaints: readonly RegExp[] = [
  /\bmessages(\.\d+|:)/,
  /\b(prompt|input|request|conversation) is too (long|large)\b/i,
  /\bexceeds? (the )?context (limit|window)\b/i,
  /\bcould not process\b/i,
  /\b(image|document|PDF)s?\b/i,
  /\bcontent filtering\b/i,
  /\bnot valid JSON\b/i,
];

/**
 * Reads an error of the SDK as a rejection of what was sent; undefined for any other error, after
 * which the same request may well succeed.
 */
export function asRejection(error: unknown): ApiRejection | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  if (status !== 400 && status !== 413) return undefined;
  const message = messageOf(error);
  // "tools.9.custom.input_schema: JSON schema is invalid": the path is all that the API gives.
  const tool = /\btools\.(\d+)\./.exec(message)?.[1];
  if (tool !== undefined) return { tool: Number(tool), aboutContent: false, message };
  const type = 'type' in error ? error.type : undefined;
  const aboutContent =
    status === 413 ||
    ((type == null || type === 'invalid_request_error') &&
      contentComplaints.some((complaint) => complaint.test(message)));
  return { tool: undefined, aboutContent, message };
}

/** The SDK's own `message` is the status and, mostly, the raw JSON of the answer. */
function messageOf(error: Error): string {
  if ('apiMessage' in error && typeof error.apiMessage === 'string') return error.apiMessage;
  return error.message.replace(/^\d{3} /, '');
}
