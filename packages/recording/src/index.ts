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
export { Latencies } from './latencies.js';
export { Seconds, type Counted, type Second } from './seconds.js';
