/** What the API did not like about a request that it answered 400 or 413. */
export interface ApiRejection {
  /** The position in `tools` of the one tool that it named. */
  tool: number | undefined;
  message: string;
}

/**
 * Reads an error of the SDK as a rejection of what was sent; undefined for any other error, after
 * which the same request may well succeed.
 */
export function asRejection(error: unknown): ApiRejection | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  if (error.status !== 400 && error.status !== 413) return undefined;
  // "tools.9.custom.input_schema: JSON schema is invalid": the path is all that the API gives.
  const tool = /\btools\.(\d+)\./.exec(error.message)?.[1];
  return { tool: tool === undefined ? undefined : Number(tool), message: error.message };
}
