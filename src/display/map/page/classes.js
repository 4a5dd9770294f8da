// The legend of a column of classes. Like the list of topics, it filters.

/** The lines of a column's legend: its classes, and the rest. */
function classLines(value) {
  const { classes, other, missing } = data.values[value];
  const lines = classes.map(({ name, count, color }, key) => ({ key, name, count, color: paletteColor(color) }));
  if (other) lines.push({ key: OTHER, name: 'other', count: other, color: theme.rest });
  if (missing) lines.push({ key: MISSING, name: 'missing', count: missing, color: theme.rest });
  return lines;
}

function classList(value) {
  const list = element('ul', { ariaLabel: `Classes of ${data.values[value].column}, with the number of their documents` });
  for (const line of classLines(value)) {
    const box = element('input', { type: 'checkbox', ariaLabel: `Show only: ${line.name}` });
    box.addEventListener('change', () => toggleClass(value, line.key, box.checked));
    const count = element('span', { className: 'count' });
    const label = element('label', { title: line.name }, box, element('span', { className: 'name', dir: 'auto' }, line.name), count);
    const item = element('li', {}, label);
    item.style.setProperty('--color', line.color);
    list.append(item);
  }
  return list;
}

/** Checks and counts of the legend. */
function updateClasses() {
  if (!isByClass()) return;
  const [value, list] = [coloring.mode, byId('legend').querySelector('ul')];
  const checked = filter.values[value];
  const left = new Uint32Array(256);
  for (let row = 0; row < rowCount; row += 1) left[columns.values[value][row]] += filter.passing[row];
  list.classList.toggle('filtered', Boolean(checked));
  classLines(value).forEach(({ key, count }, i) => {
    const item = list.children[i];
    item.querySelector('input').checked = Boolean(checked && checked[key]);
    showLeft(item, left[key], count);
  });
}

function toggleClass(value, key, checked) {
  filter.values[value] = afterCheck(filter.values[value] ?? new Uint8Array(256), [key], checked);
  refreshFilter();
}

function clearClasses(value) {
  filter.values[value] = null;
  refreshFilter();
}

/** What the filter of a column's classes is called. */
function classesText(value) {
  const names = classLines(value).filter(({ key }) => filter.values[value][key]).map(({ name }) => name);
  return `${data.values[value].column}: ${names.length === 1 ? names[0] : counted(names.length, 'class', 'classes')}`;
}
