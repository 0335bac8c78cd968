/**
 * What a network sends is data: nothing of it may act on a terminal, hide, or move its neighbours. Every string from a
 * network passes here before it is stored or shown.
 *
 * What is cut out: escape sequences that are whole. What becomes a visible mark: every other control character
 * (U+2400 pictures, or its number as <U+009B>). What is invisible and does nothing for the reader is cut out of bodies
 * and marked in lines, where two names must not look the same.
 */

const CSI = String.raw`(?:\x1b\[|\x9b)[\x30-\x3f]{0,64}[\x20-\x2f]{0,8}[\x40-\x7e]`;
/** OSC, DCS, APC, PM and SOS; one without its end is not cut, or it would hide what follows. */
const STRING = String.raw`(?:\x1b[\]P_^X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f]{0,4096}(?:\x07|\x1b\\|\x9c)`;
/** Two-byte and charset sequences: ESC c, ESC ( B, … */
const SHORT = String.raw`\x1b[\x20-\x2f]{1,4}[\x30-\x7e]`;
const SEQUENCES = `${STRING}|${CSI}|${SHORT}`;
/** England, Scotland, Wales: the only tag sequences that Unicode recommends for interchange (UTS #51). */
const TAG_FLAGS = String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`;

/** Invisible, and of no use in a terminal: soft hyphen, joiners of words, format controls, tags, unassigned ignorables. */
const INVISIBLE = String.raw`\u00AD\u034F\u061C\u180E\u200B\u200E\u200F\u2060-\u2065\u206A-\u206F\uFEFF\uFFF0-\uFFFB\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0000}-\u{E00FF}\u{E01F0}-\u{E0FFF}`;
const BIDI = String.raw`\u202A-\u202E\u2066-\u2069`;
const BROKEN = String.raw`\p{Cs}\p{Noncharacter_Code_Point}`;
const CONTROLS = String.raw`\x00-\x08\x0b-\x1f\x7f-\x9f`;
/** Visible as a blank only, so that a name may end in it unseen; and selectors of a variant that a terminal does not draw. */
const FILLERS = String.raw`\u115F\u1160\u17B4\u17B5\u2800\u3164\uFFA0`;

const BODY_SUSPECT = new RegExp(`[${CONTROLS}${INVISIBLE}${BIDI}${BROKEN}\u2028\u2029]`, 'u');
const BODY = new RegExp(
  `${SEQUENCES}|(${TAG_FLAGS})|\\r\\n|[${CONTROLS}${INVISIBLE}${BIDI}${BROKEN}\u2028\u2029]`,
  'gu',
);

const LINE_SUSPECT = new RegExp(
  `[${CONTROLS}\\t\\n${INVISIBLE}${BIDI}${BROKEN}${FILLERS}\u2028\u2029\u200C\u200D\u180B-\u180D\u180F\uFE00-\uFE0F\u{E0100}-\u{E01EF}]|^ | $`,
  'u',
);
/**
 * Where ZWJ and ZWNJ change how a word looks (UAX #31, section 2.3, A1 and A2): after an Arabic letter that joins to the
 * left, and after the virama of an Indic script.
 */
const UNJOINED_ARABIC = String.raw`\u0621-\u0625\u0627\u0629\u062F-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06C0\u06C3-\u06CB\u06CD\u06CF\u06D2\u06D3\u06D5\u06EE\u06EF`;
const VIRAMA = String.raw`\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D4D\u0DCA\u0F84\u1039\u17D2`;
const EMOJI_JOIN = String.raw`(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})`;
const LETTER_JOIN = String.raw`(?<=[${VIRAMA}]|(?![${UNJOINED_ARABIC}])\p{Script=Arabic})[\u200C\u200D](?=(?![${FILLERS}])\p{L})`;
const VARIANT = String.raw`(?<=\p{Extended_Pictographic})[\uFE0E\uFE0F]|(?<=[0-9#*])\uFE0F(?=\u20E3)|(?<=\p{Script=Han})[\uFE00-\uFE02\u{E0100}-\u{E01EF}]|(?<=\p{Script=Mongolian})[\u180B-\u180D\u180F]`;
const LINE = new RegExp(
  `${SEQUENCES}|(${TAG_FLAGS}|${EMOJI_JOIN}|${LETTER_JOIN}|${VARIANT})|\\r\\n|[${CONTROLS}\\t\\n${INVISIBLE}${BIDI}${BROKEN}${FILLERS}\u2028\u2029\u200C\u200D\u180B-\u180D\u180F\uFE00-\uFE0F\u{E0100}-\u{E01EF}]|^ +|(?<! ) +$`,
  'gu',
);

const EDGES = /^ +|(?<! ) +$/gu;

/**
 * A body for storing and showing. Kept: line feeds (every other line break becomes one), tabs (for the renderer to
 * expand) and the joiners of emoji and scripts. Text that is clean already comes back as the very same string.
 */
export function sanitise(text: string): string {
  return BODY_SUSPECT.test(text) ? text.replace(BODY, replaceInBody) : text;
}

/**
 * One line: names, topics, file names, error texts. Nothing invisible survives unmarked, nor blanks at its ends, so that
 * two different names never look the same for the sake of an invisible character.
 */
export function sanitiseLine(text: string): string {
  // What was cut away may have stood outside a blank, which is at the edge only now.
  return LINE_SUSPECT.test(text)
    ? text.replace(LINE, replaceInLine).replace(EDGES, (blanks) => '␠'.repeat(blanks.length))
    : text;
}

function replaceInBody(found: string, kept: string | undefined): string {
  if (kept !== undefined) return found;
  if (isBreak(found)) return '\n';
  const code = found.codePointAt(0) ?? 0;
  if (isBroken(code)) return '\u{FFFD}';
  if (isSequence(found)) return linkIn(found);
  return code < 0xa0 || isBidi(code) ? mark(code) : '';
}

function replaceInLine(found: string, kept: string | undefined): string {
  if (kept !== undefined) return found;
  if (isBreak(found) || found === '\n') return '␤';
  const code = found.codePointAt(0) ?? 0;
  if (isBroken(code)) return '\u{FFFD}';
  if (code === 0x20) return '␠'.repeat(found.length);
  return isSequence(found) ? linkIn(found) : mark(code);
}

const isBreak = (found: string): boolean =>
  found === '\r\n' || (found.length === 1 && '\r\v\f\x85\u2028\u2029'.includes(found));
const isBroken = (code: number): boolean =>
  (code >= 0xd800 && code <= 0xdfff) || (code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
const isBidi = (code: number): boolean => (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
/** A mark stands for one character; what is longer can only be a sequence (astral characters are two units). */
const isSequence = (found: string): boolean => found.length > 1 && found.charCodeAt(0) < 0xa0;

/** The address of an OSC 8 link is shown in the place of the link, so that its text cannot lie about it. */
function linkIn(sequence: string): string {
  const address = /^(?:\x1b\]|\x9d)8;[^;]*;(.+?)(?:\x07|\x1b\\|\x9c)$/su.exec(sequence)?.[1];
  return address ? `<${sanitiseLine(address)}> ` : '';
}

function mark(code: number): string {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/**
 * Cuts each run of combining marks and joiners after `most`: a flood of them would paint over other lines and costs
 * time to measure. For renderers; what is stored stays whole.
 */
export function capMarks(text: string, most = 8): string {
  return text.replace(most === 8 ? EIGHT_MARKS : runsOver(most), '$1');
}

const runsOver = (most: number): RegExp => new RegExp(`([\\p{M}\u200C\u200D]{${most}})[\\p{M}\u200C\u200D]+`, 'gu');
const EIGHT_MARKS = runsOver(8);
