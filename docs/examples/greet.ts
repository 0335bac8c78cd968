// Answers everybody who says "hello", by the library. Run it with: node greet.ts
import { connect, ImuxError } from 'imux';

try {
  await using imux = await connect({ name: 'greet' });
  for await (const change of imux.events({ only: ['message'] })) {
    if (change.type !== 'message' || !change.live) continue;
    const { from, target, text, style } = change.message;
    // A notice comes from a program: to answer one is how loops begin.
    if (from.self || style === 'notice' || !/\bhello\b/i.test(text)) continue;
    const { state, error } = await imux.send(target, `Hello ${from.name}!`, { timeout: 10 });
    console.log(`${target}: ${state}${error ? ` (${error.message})` : ''}`);
  }
} catch (error) {
  if (!(error instanceof ImuxError)) throw error;
  console.error(`${error.detail.code}: ${error.message}`);
  process.exitCode = 1;
}
