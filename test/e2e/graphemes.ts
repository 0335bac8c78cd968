// The addon reads its table from the start of the memory that a Buffer lies in, and Node packs small Buffers together:
// whether the table is whole then hangs on what was loaded before. Without a pool each Buffer lies alone.
const { poolSize } = Buffer;
Buffer.poolSize = 0;
export const { UnicodeGraphemesAddon } = await import('@xterm/addon-unicode-graphemes');
Buffer.poolSize = poolSize;
