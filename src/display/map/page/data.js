// What the page carries: the data, its blocks, and the texts, which stay compressed until someone looks at them.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId('tf-data').textContent);
const rowCount = data.rows;
/** The coordinate of a row without a place. */
const NOWHERE = 65535;
/** The codes of values. */
const MISSING = 255;
const OTHER = 254;

/** Filled by `load`: arrays over the rows of the page. */
const columns = { x: null, y: null, groups: null, rows: null, time: null, values: [] };

const grouped = (number) => new Intl.NumberFormat('en-US').format(number);
const counted = (number, one, many = one + 's') => `${grouped(number)} ${number === 1 ? one : many}`;

/** Takes the text of a block out of the document, so that it is not kept twice. */
function takeText(id) {
  const element = byId(id);
  if (!element) return '';
  const text = element.textContent.trim();
  element.remove();
  return text;
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function inflatedBlock(id) {
  return inflated(bytesOf(takeText(id)));
}

async function load() {
  const places = bytesOf(takeText('tf-places')).buffer;
  columns.x = new Uint16Array(places, 0, rowCount);
  columns.y = new Uint16Array(places, 2 * rowCount, rowCount);
  columns.groups = new Uint16Array((await inflatedBlock('tf-groups')).buffer);
  columns.rows = await loadRows();
  if (data.time) columns.time = await inflatedBlock('tf-time');
  for (let i = 0; i < data.values.length; i += 1) columns.values.push(await inflatedBlock(`tf-value-${i}`));
  if (data.texts) texts.open(takeText('tf-texts'));
}

/** The number of each row in the user's frame; `null` if it is its place on the page. */
async function loadRows() {
  if (!byId('tf-rows')) return null;
  const rows = new Uint32Array((await inflatedBlock('tf-rows')).buffer);
  for (let i = 1; i < rows.length; i += 1) rows[i] += rows[i - 1];
  return rows;
}

const rowNumber = (row) => (columns.rows ? columns.rows[row] : row);
const hasPlace = (row) => columns.x[row] !== NOWHERE;
const topicOf = (row) => data.topics[columns.groups[row]];

/** The value of column `column` at `row`, as text; `null` if it is missing. */
function valueText(column, row) {
  const { kind, low, high, classes } = data.values[column];
  const code = columns.values[column][row];
  if (code === MISSING) return null;
  if (kind === 'class') return code === OTHER ? 'other' : (classes[code]?.name ?? null);
  return shortNumber(low + ((high - low) * code) / 254);
}

function shortNumber(number) {
  return new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3, useGrouping: Math.abs(number) >= 10000 }).format(number);
}

/** Compressed texts, in blocks. */
const texts = {
  encoded: '',
  starts: [],
  cache: new Map(),

  open(encoded) {
    this.encoded = encoded;
    let start = 0;
    for (const length of data.texts.lengths) {
      this.starts.push(start);
      start += Math.ceil(length / 3) * 4;
    }
  },

  /** All texts of block `block`, joined by U+0000. */
  async block(block) {
    const length = data.texts.lengths[block];
    const start = this.starts[block];
    const bytes = bytesOf(this.encoded.slice(start, start + Math.ceil(length / 3) * 4));
    return new TextDecoder().decode(await inflated(bytes.subarray(0, length)));
  },

  /** The texts of a block as a list; the blocks looked at last are kept. */
  list(block) {
    let list = this.cache.get(block);
    if (list) this.cache.delete(block);
    else list = this.block(block).then((joined) => joined.split('\0'));
    this.cache.set(block, list);
    if (this.cache.size > 24) this.cache.delete(this.cache.keys().next().value);
    return list;
  },

  async of(row) {
    if (!data.texts) return '';
    const list = await this.list(Math.floor(row / data.texts.block));
    return list[row % data.texts.block] ?? '';
  },
};

/** Text as it is compared: without case and accents. */
function plain(text) {
  const lower = text.toLowerCase();
  return isAscii(lower) ? lower : lower.normalize('NFD').replace(/\p{M}+/gu, '');
}

function isAscii(text) {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** A new element; `properties` are set as they are, `children` are elements or text. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Who wants to know what: 'view', 'filter', 'colors', 'theme'. */
const listeners = {};
function on(event, listener) {
  (listeners[event] ??= []).push(listener);
}
function emit(event) {
  for (const listener of listeners[event] ?? []) listener();
}

/** Says `text` to who cannot see. */
function announce(text) {
  byId('status').textContent = text;
}

/** Lets the browser handle what has happened meanwhile. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
