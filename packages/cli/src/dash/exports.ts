import { toChromeTrace, toHar, toOtlp, type Picture } from '@longwire/recording';

/** What a picture can be saved as, and the name of the file. */
export const EXPORTS = {
  otlp: { file: 'traces.otlp.json', make: toOtlp },
  chrome: { file: 'trace.json', make: toChromeTrace },
  har: { file: 'calls.har', make: toHar },
} as const satisfies Readonly<Record<string, { file: string; make(picture: Picture): object }>>;

/** The name of an export. */
export type ExportName = keyof typeof EXPORTS;

/** Whether there is such an export. */
export function isExportName(name: string): name is ExportName {
  return Object.hasOwn(EXPORTS, name);
}
