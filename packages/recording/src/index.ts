export * from './format.js';
export {
  Picture,
  type AttemptPicture,
  type CallPicture,
  type EventPicture,
  type PictureData,
  type PictureLimits,
  type ServerPicture,
  type StatePicture,
  type Totals,
} from './picture.js';
export { attemptSpansOf, endOfCall, type AttemptSpan } from './exports/attempts.js';
export { Latencies } from './latencies.js';
export type { Subscription } from './subscriptions.js';
export { Seconds, type Counted, type Second } from './seconds.js';

export { createRecorder } from './recorder.js';
export type { Recorder, RecorderOptions } from './recorder-contract.js';
export type {
  RecordableAuth,
  RecordableClient,
  RecordableError,
  RecordableEvents,
  RecordableGroup,
  RecordableGroupEvents,
  RecordableProgress,
  RecordableRequest,
  RecordableResponse,
  RecordableState,
  RecordableWireEvent,
  RecordingMiddleware,
} from './recordable.js';
export { cutValue, isCut } from './values.js';

export {
  createHeader,
  LineReader,
  parseRecording,
  RecordingError,
  toLine,
  type LineBounds,
  type Recording,
  type SkippedLines,
} from './lines.js';

export {
  playServer,
  type PlayedMessage,
  type PlayedServer,
  type PlayedTransport,
} from './play-server.js';

export { parseFilter, type Filter, type FilterProblem } from './filter/filter.js';
export { completions, type Completion, type Completions } from './filter/completions.js';
export { quoted, readTerms, type Span, type Term } from './filter/terms.js';

export {
  comparePictures,
  type CatalogueChange,
  type ChangedItem,
  type Comparison,
  type ErrorChange,
  type ErrorCount,
  type LatencyChange,
  type LatencySummary,
} from './compare.js';

export {
  expectationOf,
  verdictOf,
  type Ended,
  type Expectation,
  type Verdict,
} from './expectation.js';
export {
  CheckError,
  checksOf,
  parseCheck,
  parseChecks,
  type Check,
  type RecordedChecks,
} from './checks.js';

export {
  toOtlp,
  type OtlpAttribute,
  type OtlpSpan,
  type OtlpTraces,
  type OtlpValue,
} from './exports/otlp.js';
export { toChromeTrace, type ChromeTraceEvent } from './exports/chrome-trace.js';
export { toHar, type Har, type HarEntry } from './exports/har.js';
