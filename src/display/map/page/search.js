// Search: words must begin with all that is asked for. Topics come first; texts are read block by block, with a growing
// count.

const search = { run: 0, timer: 0 };

const wordsOf = (query) => plain(query).split(/\s+/).filter(Boolean);

const LETTER = /[\p{L}\p{N}]/u;
/** Scripts that are written without spaces: every letter may begin a word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Where a word of `text` begins with `word`, from `from` on; -1 if nowhere. Both are plain. */
function beginningOf(text, word, from) {
  const anywhere = !LETTER.test(word[0]) || UNSPACED.test(word[0]);
  let at = text.indexOf(word, from);
  while (at > 0 && !anywhere && LETTER.test(text[at - 1])) at = text.indexOf(word, at + 1);
  return at;
}

const hasWords = (text, words) => words.every((word) => beginningOf(text, word, 0) >= 0);

/** Searches for `query`; returns the number of rows found, or `null` if another search has begun meanwhile. */
async function runSearch(query) {
  search.run += 1;
  const run = search.run;
  const words = wordsOf(query);
  showTopicHits(words);
  byId('hits').hidden = words.length === 0;
  if (words.length === 0) {
    if (filter.found) {
      filter.found = null;
      refreshFilter();
    }
    return rowCount;
  }
  if (!data.texts) {
    byId('search-stop').hidden = true;
    byId('found').textContent = 'This page has no texts: only topics are searched.';
    return 0;
  }
  return searchTexts(words, run);
}

async function searchTexts(words, run) {
  const found = new Uint8Array(rowCount);
  const { block: size, lengths } = data.texts;
  // The longest word is the rarest, most likely.
  const ordered = [...words].sort((a, b) => b.length - a.length);
  let [number, paused] = [0, performance.now()];
  for (let block = 0; block < lengths.length; block += 1) {
    const joined = plain(await texts.block(block));
    if (run !== search.run) return null;
    number += markFound(joined, ordered, found, block * size);
    if (performance.now() - paused > 60) {
      showFound(number, (block + 1) / lengths.length);
      await pause();
      paused = performance.now();
      if (run !== search.run) return null;
    }
  }
  showFound(number, 1);
  filter.found = found;
  refreshFilter();
  return number;
}

/** Marks the texts of a block with all words; returns how many there are. */
function markFound(joined, [first, ...others], found, base) {
  let [number, place, start, at] = [0, 0, 0, beginningOf(joined, first, 0)];
  while (at >= 0) {
    for (let end = joined.indexOf('\0', start); end >= 0 && end < at; end = joined.indexOf('\0', start)) {
      place += 1;
      start = end + 1;
    }
    const end = joined.indexOf('\0', at);
    const text = joined.slice(start, end < 0 ? undefined : end);
    if (hasWords(text, others)) {
      found[base + place] = 1;
      number += 1;
    }
    at = end < 0 ? -1 : beginningOf(joined, first, end);
  }
  return number;
}

function showFound(number, share) {
  const where = data.texts.cut ? ` in the first ${data.texts.limit} characters` : '';
  const line = `${counted(number, 'text')} found${where}`;
  byId('found').textContent = share < 1 ? `${line}, ${Math.floor(share * 100)} % searched` : line;
  byId('search-stop').hidden = share === 1;
  byId('hits').style.setProperty('--share', share);
}

/** Topics whose label or words have all the words. */
function showTopicHits(words) {
  const list = byId('topic-hits');
  list.replaceChildren();
  if (words.length === 0) return;
  let number = 0;
  for (const [group, topic] of data.topics.entries()) {
    if (number === 6) break;
    const name = plain(`${topic.id} ${topic.label} ${topic.words.join(' ')}`);
    if (topic.id < 0 || !hasWords(name, words)) continue;
    number += 1;
    const mark = element('i');
    mark.style.background = topicColor(group);
    const button = element('button', { type: 'button' }, mark, element('span', { className: 'name' }, topic.label), element('span', { className: 'count' }, grouped(topic.count)));
    button.addEventListener('click', () => flyToGroups([group]));
    list.append(element('li', {}, button));
  }
}

function clearSearch() {
  byId('query').value = '';
  runSearch('');
}

function startSearch() {
  const query = byId('query');
  const begin = () => {
    clearTimeout(search.timer);
    runSearch(query.value);
  };
  byId('search').addEventListener('submit', (event) => {
    event.preventDefault();
    begin();
  });
  query.addEventListener('input', () => {
    // A search that is going on is out of date.
    search.run += 1;
    clearTimeout(search.timer);
    search.timer = setTimeout(begin, query.value ? 180 : 0);
  });
  query.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    event.preventDefault();
    if (query.value) clearSearch();
    else query.blur();
  });
  on('colors', () => showTopicHits(wordsOf(query.value)));
  byId('search-stop').addEventListener('click', clearSearch);
  if (!data.texts) query.placeholder = 'Search topics';
}
