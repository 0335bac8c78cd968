/** Texts that clients are known to break, by what is special about them. Each must arrive exactly as it was written. */
export const texts: Readonly<Record<string, string>> = {
  'plain words': 'have you seen the rabbit?',
  Greek: 'Καλημέρα κόσμε, τι κάνεις;',
  Cyrillic: 'Привет, мир! Съешь же ещё этих мягких булок',
  Arabic: 'مرحبا بالعالم، كيف حالك؟',
  Japanese: 'こんにちは世界。昨日はどうも',
  Hindi: 'नमस्ते दुनिया, क्षत्रिय',
  'emoji of several code points': '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇫🇷 ❤️',
  'a leading slash': '/etc/passwd is a file',
  'two leading slashes': '//not a command',
  'a line feed': 'first line\nsecond line',
  'an empty line inside': 'above\n\nbelow',
  'markup of XML, HTML and Markdown': '<b>&amp; *bold* _it_ [x](y) `code` ~s~ ||sp||</b>',
  'quotes and backslashes': `"it's" \\n \\\\ %s \${HOME}`,
  'leading and trailing blanks': '  indented code  ',
  'colons as of a protocol': ':PRIVMSG #x :y',
  digits: '0',
};
