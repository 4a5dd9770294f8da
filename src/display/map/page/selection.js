// The panel of the selection, and the ways in which it leaves the page.

const SHOWN_ROWS = 50;
const SHOWN_TOPICS = 8;
let panelRun = 0;
let panelSelection = null;

function filterChanged() {
  if (filter.selected !== panelSelection) showSelection();
  else if (filter.selected) showHiddenRows();
}

function showSelection() {
  panelSelection = filter.selected;
  byId('selection').hidden = !filter.selected;
  panelRun += 1;
  byId('copied').textContent = '';
  byId('copy-text').hidden = true;
  if (!filter.selected) return;
  const rows = selectedRows();
  byId('selection-count').textContent = `${grouped(rows.length)} selected`;
  showSelectionTopics(rows);
  showSelectionRows(rows, panelRun);
}

function showSelectionTopics(rows) {
  const counts = new Map();
  for (const row of rows) counts.set(columns.groups[row], (counts.get(columns.groups[row]) ?? 0) + 1);
  const largest = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const lines = largest.slice(0, SHOWN_TOPICS).map(([group, count]) => {
    const topic = data.topics[group];
    const bar = element('i');
    bar.style.background = topicColor(group);
    bar.style.width = `${Math.max((100 * count) / largest[0][1], 1)}%`;
    const name = element('span', { className: 'name', dir: 'auto' }, topic.label);
    return element('li', {}, name, element('span', { className: 'count' }, grouped(count)), bar);
  });
  const more = largest.length - SHOWN_TOPICS;
  if (more > 0) lines.push(element('li', { className: 'quiet' }, `and ${counted(more, 'more topic')}`));
  byId('selection-topics').replaceChildren(...lines);
}

async function showSelectionRows(rows, run) {
  const first = rows.slice(0, SHOWN_ROWS);
  showHiddenRows();
  const written = await Promise.all(first.map((row) => texts.of(row)));
  if (run !== panelRun) return;
  byId('selection-rows').replaceChildren(...first.map((row, i) => selectionItem(row, written[i])));
}

function showHiddenRows() {
  const hidden = filter.selectedCount - filter.shownCount;
  const notes = [];
  if (filter.selectedCount > SHOWN_ROWS) notes.push(`The first ${SHOWN_ROWS} of ${grouped(filter.selectedCount)}.`);
  if (hidden > 0) notes.push(`${counted(hidden, 'selected row is', 'selected rows are')} faint because of the other filters.`);
  byId('selection-more').textContent = notes.join(' ');
}

function selectionItem(row, text) {
  const mark = element('i', { title: topicOf(row).label });
  mark.style.background = rowColor(row);
  const button = element('button', { type: 'button' }, pictureElement(row, 36) ?? mark, element('span', { className: 'text', dir: 'auto' }, text || topicOf(row).label), element('span', { className: 'count' }, String(rowNumber(row))));
  button.addEventListener('click', () => {
    if (hasPlace(row)) flyTo(columns.x[row], columns.y[row], Math.max(view.scale, view.fit * 4));
    showCard(row, true);
  });
  return element('li', {}, button);
}

const selectedNumbers = () => selectedRows().map(rowNumber);

function rustLine() {
  const { frame } = data.rust;
  return `let rows = IdxCa::from_vec("row".into(), vec![${selectedNumbers().join(', ')}]);\nlet selected = ${frame}.take(&rows)?;`;
}

/** Copies text; where a page may not, as in the frame of a notebook, the text is shown, selected. */
async function copy(text, what) {
  const area = byId('copy-text');
  area.hidden = true;
  try {
    if (isEmbedded) throw new Error('not in a frame');
    await navigator.clipboard.writeText(text);
    say(`${what} copied.`);
  } catch {
    area.value = text;
    area.hidden = false;
    area.focus();
    area.select();
    say(document.execCommand('copy') ? `${what} copied.` : `Press Ctrl+C to copy the ${what.toLowerCase()}.`);
  }
}

function say(text) {
  byId('copied').textContent = text;
  announce(text);
}

/** A field as RFC 4180 has it. */
const csvField = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The selected rows as CSV: row, topic, name, text. */
async function selectionCsv() {
  const parts = ['row,topic,name,text\r\n'];
  let [block, list] = [-1, null];
  for (const row of selectedRows()) {
    if (data.texts && Math.floor(row / data.texts.block) !== block) {
      block = Math.floor(row / data.texts.block);
      list = (await texts.block(block)).split('\0');
    }
    const text = list ? (list[row % data.texts.block] ?? '') : '';
    const { id, name } = topicOf(row);
    parts.push(`${rowNumber(row)},${id},${csvField(name)},${csvField(text)}\r\n`);
  }
  return parts;
}

async function downloadCsv() {
  const address = URL.createObjectURL(new Blob(await selectionCsv(), { type: 'text/csv' }));
  const link = element('a', { href: address, download: `${data.rust.frame}-selection.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  say(data.texts?.cut ? `CSV written; texts are cut at ${data.texts.limit} characters.` : 'CSV written.');
}

function startSelection() {
  byId('selection-clear').addEventListener('click', clearSelection);
  byId('copy-rows').addEventListener('click', () => copy(selectedNumbers().join(', '), 'Row numbers'));
  byId('copy-rust').addEventListener('click', () => copy(rustLine(), 'Rust code'));
  byId('download-csv').addEventListener('click', downloadCsv);
  // On a narrow screen the panel begins folded: it covers the map.
  const fold = (folded) => {
    byId('selection').classList.toggle('folded', folded);
    byId('selection-fold').setAttribute('aria-expanded', String(!folded));
  };
  fold(true);
  byId('selection-fold').addEventListener('click', () => fold(!byId('selection').classList.contains('folded')));
  on('filter', filterChanged);
  on('colors', showSelection);
}
