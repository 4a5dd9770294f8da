// What the colors mean: topics, a level of topics, time, or the values of a column.

/** `mode`: 'topic', 'time', or the number of a column; `keys`: what the color of each row is looked up by. */
const coloring = { mode: 'topic', keys: null };
/** The level of topics: -1 for the topics themselves, else a layer. */
let level = -1;

const levelTopics = () => (level < 0 ? data.topics : data.layers[level].topics);
const levelGroup = (group) => (level < 0 ? group : data.layers[level].groups[group]);
const groupColor = (group) => paletteColor(levelTopics()[levelGroup(group)].color);
/** The color that stands for a topic beside its name: none where colors mean something else. */
const topicColor = (group) => (coloring.mode === 'topic' ? groupColor(group) : theme.muted);
const isByTime = () => coloring.mode === 'time';
const column = () => data.values[coloring.mode];
const isByClass = () => column()?.kind === 'class';

/** The color of a row as CSS. */
function rowColor(row) {
  return keyColor(coloring.keys[row]).color;
}

/** The color of a key, and its opacity. */
function keyColor(key) {
  if (coloring.mode === 'topic') {
    const { color } = levelTopics()[key];
    return { color: paletteColor(color), alpha: color === null ? 0.6 : 1 };
  }
  if (key === MISSING) return { color: theme.rest, alpha: 0.35 };
  if (isByTime()) return { color: rampColor(key / Math.max(data.time.bins.length - 1, 1)), alpha: 1 };
  if (column().kind === 'number') return { color: rampColor(key / 254), alpha: 1 };
  if (key === OTHER) return { color: theme.rest, alpha: 0.7 };
  return { color: paletteColor(column().classes[key].color), alpha: 1 };
}

function keyCount() {
  return coloring.mode === 'topic' ? levelTopics().length : 256;
}

function writeTable() {
  for (let key = 0; key < keyCount(); key += 1) {
    if (coloring.mode !== 'topic' && !isByTime() && column().kind === 'class' && key >= column().classes.length && key < OTHER) continue;
    if (isByTime() && key >= data.time.bins.length && key !== MISSING) continue;
    const { color, alpha } = keyColor(key);
    table.pixels.set([...components(color), Math.round(alpha * 255)], 4 * key);
  }
  table.changed = true;
}

function writeKeys() {
  if (coloring.mode === 'topic') coloring.keys = level < 0 ? columns.groups : columns.groups.map(levelGroup);
  else coloring.keys = isByTime() ? columns.time : columns.values[coloring.mode];
}

/** After another mode or level. */
function recolor() {
  writeKeys();
  writeTable();
  writeLooks();
  showLegend();
  emit('colors');
  requestDraw();
}

function colorName() {
  if (coloring.mode === 'topic') return level < 0 ? 'Topic' : data.layers[level].name;
  return isByTime() ? data.time.column : column().column;
}

function swatch(color, name, number) {
  const mark = element('i');
  mark.style.background = color;
  return element('li', {}, mark, element('span', { className: 'name' }, name), element('span', { className: 'count' }, grouped(number)));
}

function showLegend() {
  const legend = byId('legend');
  legend.hidden = coloring.mode === 'topic';
  if (legend.hidden) return legend.replaceChildren();
  if (isByClass()) {
    legend.replaceChildren(classList(coloring.mode));
    return updateClasses();
  }
  const list = element('ul');
  if (isByTime()) {
    const { bins, undated } = data.time;
    legend.replaceChildren(...ramp(bins[0]?.label ?? '', bins[bins.length - 1]?.label ?? ''), list);
    if (undated) list.append(swatch(theme.rest, 'no date', undated));
  } else {
    legend.replaceChildren(...ramp(shortNumber(column().low), shortNumber(column().high)), list);
    if (column().missing) list.append(swatch(theme.rest, 'missing', column().missing));
  }
}

function ramp(low, high) {
  const bar = element('div', { className: 'ramp' });
  const stops = Array.from({ length: 13 }, (_, i) => rampColor(i / 12));
  bar.style.background = `linear-gradient(to right, ${stops.join(', ')})`;
  return [bar, element('p', { className: 'ends' }, element('span', {}, low), element('span', {}, high))];
}

function startColors() {
  const choice = byId('color-by');
  choice.append(element('option', { value: 'topic' }, 'Topic'));
  if (data.time) choice.append(element('option', { value: 'time' }, data.time.column));
  data.values.forEach((value, i) => choice.append(element('option', { value: String(i) }, value.column)));
  byId('coloring').hidden = choice.options.length === 1;
  choice.addEventListener('change', () => {
    coloring.mode = /^\d+$/.test(choice.value) ? Number(choice.value) : choice.value;
    recolor();
    announce(`Colored by ${colorName()}`);
  });
  on('theme', () => {
    writeTable();
    showLegend();
    emit('colors');
    requestDraw();
  });
  on('filter', () => {
    updateClasses();
    writeLooks();
    requestDraw();
  });
  writeKeys();
  writeTable();
}
