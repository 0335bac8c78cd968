/**
 * Stands for node-fetch in the bundle: telegraf requires it, and wire.ts has its place. Without it the bundle is half
 * a megabyte smaller and Node does not warn of the deprecated module that it loads.
 */
export default function fetch(): never {
  throw new Error('the Bot API client does its own HTTP');
}
