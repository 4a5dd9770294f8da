// The list of topics: legend, filter, and the way to each of them, also for who does not see the map.

/** The groups of each item of the list at this level. */
let itemGroups = [];

function buildTopics() {
  itemGroups = levelTopics().map(() => []);
  data.topics.forEach((_, group) => itemGroups[levelGroup(group)].push(group));
  const items = levelTopics().map((topic, item) => topicItem(topic, item));
  byId('topic-list').replaceChildren(...items);
  updateTopics();
  filterList();
}

function topicItem(topic, item) {
  const box = element('input', { type: 'checkbox', ariaLabel: `Show only: ${topic.label}` });
  box.addEventListener('change', () => toggleTopic(item, box.checked));
  const count = element('span', { className: 'count' });
  const id = element('span', { className: 'id' }, topic.id >= 0 ? String(topic.id) : '');
  const button = element('button', { type: 'button' }, id, element('span', { className: 'name', dir: 'auto' }, topic.label), count);
  const words = topic.words ?? itemGroups[item].flatMap((group) => data.topics[group].words.slice(0, 2));
  button.title = words.length ? words.join(', ') : topic.label;
  button.addEventListener('click', () => {
    flyToGroups(itemGroups[item]);
    closeDrawer();
  });
  const point = (groups) => () => {
    pointedGroups = groups;
    requestOver();
  };
  for (const event of ['pointerenter', 'focus']) button.addEventListener(event, point(itemGroups[item].slice(0, 12)));
  for (const event of ['pointerleave', 'blur']) button.addEventListener(event, point(null));
  return element('li', {}, box, button);
}

const isOutlierItem = (item) => itemGroups[item].every((group) => data.topics[group].id < 0);

/** Colors, checks and counts of the list. */
function updateTopics() {
  const colored = coloring.mode === 'topic';
  byId('topic-list').classList.toggle('filtered', Boolean(filter.groups));
  [...byId('topic-list').children].forEach((line, item) => {
    const topic = levelTopics()[item];
    const [box] = line.children;
    line.style.setProperty('--color', colored ? paletteColor(topic.color) : theme.muted);
    box.checked = Boolean(filter.groups) && itemGroups[item].every((group) => filter.groups[group]);
    const left = itemGroups[item].reduce((sum, group) => sum + filter.byGroup[group], 0);
    showLeft(line, left, topic.count);
    line.classList.toggle('plain', !colored);
    line.classList.toggle('outliers', isOutlierItem(item));
  });
  byId('all-topics').hidden = !filter.groups;
}

function toggleTopic(item, checked) {
  filter.groups = afterCheck(filter.groups ?? new Uint8Array(data.topics.length), itemGroups[item], checked);
  refreshFilter();
}

function clearTopics() {
  filter.groups = null;
  refreshFilter();
}

/** Shows the items of the list whose names have all words of the box. */
function filterList() {
  const words = wordsOf(byId('topic-filter').value);
  let shown = 0;
  [...byId('topic-list').children].forEach((line, item) => {
    const topic = levelTopics()[item];
    const name = plain(`${topic.id ?? ''} ${topic.label} ${line.children[1].title}`);
    line.hidden = !hasWords(name, words);
    shown += line.hidden ? 0 : 1;
  });
  byId('no-topics').hidden = shown > 0;
}

function startTopics() {
  const choice = byId('layer');
  if (data.layers.length) {
    choice.append(element('option', { value: '-1' }, 'All topics'));
    data.layers.forEach(({ name, topics }, i) => choice.append(element('option', { value: String(i) }, `${name} (${topics.length})`)));
    choice.hidden = false;
    choice.addEventListener('change', () => {
      level = Number(choice.value);
      buildTopics();
      if (coloring.mode === 'topic') recolor();
      requestOver();
    });
  }
  byId('narrow-down').classList.toggle('few', data.topics.length < 12);
  byId('topic-filter').addEventListener('input', filterList);
  byId('all-topics').addEventListener('click', clearTopics);
  on('filter', updateTopics);
  on('colors', updateTopics);
  buildTopics();
}

// On a narrow screen the list is a drawer; on a wide one, the whole panel folds.
function openDrawer() {
  byId('app').classList.add('drawer');
  byId('drawer-open').setAttribute('aria-expanded', 'true');
  byId('drawer-close').focus();
}

function closeDrawer() {
  byId('app').classList.remove('drawer');
  byId('drawer-open').setAttribute('aria-expanded', 'false');
}

function startDrawer() {
  byId('drawer-open').addEventListener('click', () => (byId('app').classList.contains('drawer') ? closeDrawer() : openDrawer()));
  byId('drawer-close').addEventListener('click', closeDrawer);
  const fold = (folded) => {
    byId('app').classList.toggle('folded', folded);
    byId('unfold').hidden = !folded;
    byId(folded ? 'unfold' : 'fold').focus();
  };
  byId('fold').addEventListener('click', () => fold(true));
  byId('unfold').addEventListener('click', () => fold(false));
}

/** What is not on the page, in a few words. */
function showNote() {
  const { total, rows, drawn, texts: written, pictures: pictured, time } = data;
  const parts = [];
  if (total > rows) parts.push(`${grouped(rows)} of ${counted(total, 'row')} are on this page.`);
  if (drawn < rows) parts.push(`${counted(rows - drawn, 'row has no place', 'rows have no place')} on the map.`);
  if (written?.cut) parts.push(`${counted(written.cut, 'text is', 'texts are')} cut at ${written.limit} characters.`);
  if (pictured?.left_out) parts.push(`${counted(pictured.left_out, 'picture is', 'pictures are')} left out: there is one at each place, and ${grouped(pictured.limit)} at most.`);
  if (pictured?.unreadable) parts.push(`${counted(pictured.unreadable, 'picture')} could not be read.`);
  if (time?.undated) parts.push(`${counted(time.undated, 'row has', 'rows have')} no ${time.column}.`);
  byId('note').textContent = parts.join(' ');
  const topics = data.topics.filter(({ id }) => id >= 0).length;
  byId('title').textContent = data.title;
  byId('title').title = data.title;
  byId('size').textContent = `${counted(rows, 'row')} \u00b7 ${counted(topics, 'topic')}`;
}
