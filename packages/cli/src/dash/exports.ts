import { toChromeTrace, toHar, toOtlp, type Picture } from '@longwire/recording';

/** The name of an export. */
export type ExportName = 'otlp' | 'chrome' | 'har';

/** What a picture can be saved as, and the name of the file. */
export const EXPORTS: Readonly<
  Record<ExportName, { readonly file: string; readonly make: (picture: Picture) => object }>
> = {
  otlp: { file: 'traces.otlp.json', make: toOtlp },
  chrome: { file: 'trace.json', make: toChromeTrace },
  har: { file: 'calls.har', make: toHar },
};

/** Whether there is such an export. */
export function isExportName(name: string): name is ExportName {
  return Object.hasOwn(EXPORTS, name);
}
