// What is shown: topics, classes, time and search, and of these the selection. Everything else is drawn faint.

const filter = {
  /** 1 for each topic that is shown; `null` for all. */
  groups: null,
  /** For each column of values: 1 for each class that is shown; `null` for all. */
  values: data.values.map(() => null),
  /** First and last bin; `null` for all. */
  time: null,
  /** 1 for each row that the search has found; `null` without a search. */
  found: null,
  /** 1 for each selected row; `null` without a selection. */
  selected: null,
  /** 1 for each row that passes topics, classes, time and search. */
  passing: new Uint8Array(rowCount),
  /** 1 for each row that is passing and, if there is a selection, selected. */
  shown: new Uint8Array(rowCount),
  passingCount: rowCount,
  shownCount: rowCount,
  selectedCount: 0,
  /** Passing rows of each topic and of each bin. */
  byGroup: new Uint32Array(data.topics.length),
  byBin: new Uint32Array(256),
};

const isFiltered = () => Boolean(filter.groups || filter.time || filter.found || filter.values.some(Boolean));

/** Decides again which rows are shown. */
function refreshFilter() {
  const { groups, time, found, selected, passing, shown, byGroup, byBin } = filter;
  const [first, last] = time ?? [0, MISSING];
  const kept = filter.values.map((keys, i) => keys && [keys, columns.values[i]]).filter(Boolean);
  const isKept = (row) => kept.every(([keys, codes]) => keys[codes[row]]);
  byGroup.fill(0);
  byBin.fill(0);
  let [passingCount, shownCount, selectedCount] = [0, 0, 0];
  for (let row = 0; row < rowCount; row += 1) {
    const group = columns.groups[row];
    const bin = columns.time ? columns.time[row] : 0;
    const wanted = (!groups || groups[group]) && (!found || found[row]) && (!kept.length || isKept(row)) ? 1 : 0;
    // Bars stay high outside of the brush.
    byBin[bin] += wanted;
    const passes = wanted && (!time || (bin >= first && bin <= last && bin !== MISSING)) ? 1 : 0;
    const chosen = selected ? selected[row] : 1;
    passing[row] = passes;
    shown[row] = passes & chosen;
    passingCount += passes;
    byGroup[group] += passes;
    shownCount += shown[row];
    if (selected) selectedCount += chosen;
  }
  Object.assign(filter, { passingCount, shownCount, selectedCount });
  emit('filter');
}

/** Combines rows with the selection; returns how many rows are selected then. */
function combineSelection(rows, operation) {
  const before = filter.selected;
  const hit = new Uint8Array(rowCount);
  for (const row of rows) hit[row] = 1;
  if (before && operation !== 'replace') {
    for (let row = 0; row < rowCount; row += 1) {
      if (operation === 'add') hit[row] |= before[row];
      else if (operation === 'subtract') hit[row] = before[row] & (1 - hit[row]);
      else hit[row] &= before[row];
    }
  } else if (operation === 'subtract' || operation === 'intersect') hit.fill(0);
  filter.selected = hit.includes(1) ? hit : null;
  refreshFilter();
  return filter.selectedCount;
}

/** What a filter shows after `keys` were checked or unchecked; `null`, which shows all, if none is left. */
function afterCheck(shown, keys, checked) {
  for (const key of keys) shown[key] = checked ? 1 : 0;
  return shown.includes(1) ? shown : null;
}

/** Shows on a line of a list how many of its rows are passing. */
function showLeft(line, left, count) {
  const number = line.querySelector('.count');
  number.textContent = grouped(left);
  number.title = `${grouped(left)} of ${counted(count, 'row')} shown`;
  line.classList.toggle('empty', left === 0);
}

function selectPassing() {
  filter.selected = filter.passing.slice();
  refreshFilter();
}

function clearSelection() {
  filter.selected = null;
  refreshFilter();
}

/** The selected rows, in the order of the frame. */
function selectedRows() {
  const rows = [];
  for (let row = 0; row < rowCount; row += 1) if (filter.selected && filter.selected[row]) rows.push(row);
  return rows;
}

// What is shown, as chips that can be taken away.
function chip(text, label, clear) {
  const button = element('button', { type: 'button', className: 'chip', title: label }, element('span', {}, text), element('span', { className: 'cross', ariaHidden: 'true' }, '\u00d7'));
  button.setAttribute('aria-label', `${text}: ${label}`);
  button.addEventListener('click', clear);
  return button;
}

function showChips() {
  const chips = [];
  if (isFiltered()) {
    chips.push(element('span', { className: 'total' }, `${grouped(filter.passingCount)} of ${grouped(rowCount)}`));
  }
  if (filter.groups) {
    const number = filter.groups.reduce((sum, shown) => sum + shown, 0);
    const only = filter.groups.indexOf(1);
    chips.push(chip(number === 1 ? data.topics[only].label : counted(number, 'topic'), 'Show all topics', clearTopics));
  }
  filter.values.forEach((keys, value) => {
    if (keys) chips.push(chip(classesText(value), 'Show all classes', () => clearClasses(value)));
  });
  if (filter.time) chips.push(chip(timeRangeText(), 'Show all times', clearTime));
  if (filter.found) chips.push(chip(`\u201c${byId('query').value.trim()}\u201d`, 'Clear the search', clearSearch));
  if (isFiltered() && filter.passingCount > 0 && !filter.selected) {
    const select = element('button', { type: 'button', className: 'chip action' }, 'Select these');
    select.addEventListener('click', selectPassing);
    chips.push(select);
  }
  byId('chips').replaceChildren(...chips);
}

function startFilter() {
  on('filter', showChips);
  on('filter', announceLater);
}

let announcement = 0;
/** Says what is shown, once it has come to rest. */
function announceLater() {
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    const shown = filter.selected ? `${counted(filter.selectedCount, 'row')} selected. ` : '';
    announce(`${shown}${isFiltered() ? `${grouped(filter.passingCount)} of ${counted(rowCount, 'row')} shown.` : ''}`);
  }, 500);
}
