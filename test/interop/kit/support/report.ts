/** What a client says of the server: the same for all of them, as far as they show it. */
export interface ClientReport {
  /** Names of the tools, sorted. */
  tools?: string[];
  /** The text of `echo` with the message `hé`. */
  echo?: string;
  /** What `fail` returned, which is an error. */
  failed?: string;
  /** What `steps` told of its progress, and what it logged. */
  progress?: string[];
  logged?: string[];
  /** Whether the change of the list arrived that `grow` makes. */
  changed?: boolean;
  /** The text of `note://one`, and of the prompt `greet` with the name `Ada`. */
  resource?: string;
  prompt?: string;
}

/** What is true of the server. */
export const WHOLE: Required<ClientReport> = {
  tools: ['echo', 'fail', 'grow', 'read', 'steps', 'write'],
  echo: 'Echo: hé',
  failed: 'as asked',
  progress: ['1/3', '2/3', '3/3'],
  logged: ['step 1', 'step 2', 'step 3'],
  changed: true,
  resource: 'a note',
  prompt: 'Hello, Ada',
};

/** The same without what a client does not show. */
export function wholeBut(...names: (keyof ClientReport)[]): ClientReport {
  const report: ClientReport = { ...WHOLE };
  for (const name of names) delete report[name];
  return report;
}
