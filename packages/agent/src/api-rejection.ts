/** A place in the messages of a request, by positions. */
export interface MessagePlace {
  message: number;
  /** A block of the message; undefined for the message as a whole. */
  block: number | undefined;
  /** A part of a tool result; undefined for the block as a whole. */
  part: number | undefined;
}

/** The tool that the API rejects, and which part of it. */
export interface RejectedTool {
  /** The position in `tools`. */
  index: number;
  /** The way to what is wrong, in the tool's input schema; empty if the API does not say. */
  schemaPath: readonly string[];
}

/** Why the API answered a request with 400 or 413. */
export interface ApiRejection {
  tool: RejectedTool | undefined;
  place: MessagePlace | undefined;
  /** Whether it is about an image or document that the API does not name. */
  aboutMedia: boolean;
  /** Whether it is about the messages: the same messages would fail again. */
  aboutContent: boolean;
  /** The API's own words. */
  message: string;
}

const mediaComplaint = /\bcould not process\b|\b(image|document|PDF)s?\b/i;

/**
 * The API answers `invalid_request_error` both for an account without credit and for a bad message,
 * without a code that tells them apart. So the text decides. It begins with a path into the messages,
 * unless the request is too long or holds something unreadable. An unknown text is not taken as a
 * fault of the messages: keeping bad results costs another error, dropping good ones loses them.
 */
const contentComplaints: readonly RegExp[] = [
  /\bmessages(\.\d+|:)/,
  /\b(prompt|input|request|conversation) is too (long|large)\b/i,
  /\bexceeds? (the )?context (limit|window)\b/i,
  mediaComplaint,
  /\bcontent filtering\b/i,
  /\bnot valid JSON\b/i,
];

/**
 * Reads an error of the SDK as a rejection of the request. Undefined for any other error: the same
 * request may succeed later.
 */
export function asRejection(error: unknown): ApiRejection | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  if (status !== 400 && status !== 413) return undefined;
  const message = messageOf(error);
  const tool = toolIn(message);
  const type = 'type' in error ? error.type : undefined;
  const isInvalid = tool === undefined && (type == null || type === 'invalid_request_error');
  const place = isInvalid && status === 400 ? placeIn(message) : undefined;
  return {
    tool,
    place,
    aboutMedia: isInvalid && status === 400 && place === undefined && mediaComplaint.test(message),
    aboutContent:
      tool === undefined &&
      (status === 413 ||
        (isInvalid && contentComplaints.some((complaint) => complaint.test(message)))),
    message,
  };
}

/** "tools.9.custom.input_schema.properties.a.type: …": the path is all that the API gives. */
function toolIn(message: string): RejectedTool | undefined {
  const [, index, path = ''] =
    /\btools\.(\d+)\.(?:(?:custom\.)?input_schema\.([^\s:]+))?/.exec(message) ?? [];
  if (index === undefined) return undefined;
  return { index: Number(index), schemaPath: path === '' ? [] : path.split('.') };
}

/** "messages.2.content.0.tool_result.content.1.image.source: …", or less of it. */
function placeIn(message: string): MessagePlace | undefined {
  const [, index, block, part] =
    /\bmessages\.(\d+)(?:\.content\.(\d+)(?:(?:\.tool_result)?\.content\.(\d+))?)?/.exec(message) ??
    [];
  if (index === undefined) return undefined;
  const position = (digits: string | undefined): number | undefined =>
    digits === undefined ? undefined : Number(digits);
  return { message: Number(index), block: position(block), part: position(part) };
}

/** The SDK's own `message` is the status and, mostly, the raw JSON of the answer. */
function messageOf(error: Error): string {
  if ('apiMessage' in error && typeof error.apiMessage === 'string') return error.apiMessage;
  return error.message.replace(/^\d{3} /, '');
}
