// The loop that draws, what tests may call, and the start.

let drawQueued = false;
/** Points are drawn again only if they have changed: a million of them take their time. */
let pointsQueued = false;
let settleTimer = 0;
/** How many points are drawn while the map moves: adapted to how long frames take. */
const pace = { points: 200000, last: 0, wasMoving: false };
/** For tests and scripts: nothing here changes what a person could not. */
const outside = { ready: false };

function requestDraw() {
  pointsQueued = true;
  requestOver();
}

/** Draws what is over the points. */
function requestOver() {
  if (drawQueued) return;
  drawQueued = true;
  requestAnimationFrame(draw);
}

function draw(now) {
  drawQueued = false;
  fly(now);
  if (!view.width || !view.height || !slots.rows) return;
  if (pointsQueued) drawPoints();
  drawOver(now);
  placeCard();
  outside.ready = true;
}

function drawPoints() {
  pointsQueued = false;
  const step = pointStep(performance.now());
  if (raster.used) drawRaster(step);
  else drawWebgl(step);
}

/** Every how many points one is drawn: all, unless the map moves and they are many. */
function pointStep(now) {
  const moving = reducedWhileMoving(now);
  if (moving && pace.wasMoving) {
    const took = now - pace.last;
    if (took > 60) pace.points = Math.max(pace.points * 0.6, 20000);
    else if (took < 22) pace.points = Math.min(pace.points * 1.3, 5e6);
  }
  pace.last = now;
  pace.wasMoving = moving;
  const step = moving ? Math.min(Math.ceil(slots.count / pace.points), 60) : 1;
  clearTimeout(settleTimer);
  if (step > 1) settleTimer = setTimeout(requestDraw, 200);
  return Math.max(step, 1);
}

/** Pictures, labels and what is being done, over the points. */
function drawOver(now) {
  const canvas = byId('over');
  fitCanvas(canvas);
  const context = canvas.getContext('2d');
  context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  placeLabels();
  drawPictures(context, now);
  drawLabels(context);
  drawRing(context);
  drawPointed(context);
  drawShape(context);
}

/** A box on the map, in pixels of the page. */
function onPage([left, top, right, bottom]) {
  const map = byId('map').getBoundingClientRect();
  return [left + map.left, top + map.top, right + map.left, bottom + map.top];
}

Object.assign(outside, {
  state: () => ({
    scale: view.scale,
    fit: view.fit,
    center: [view.x, view.y],
    labels: labelsDrawn.map(({ label, box }) => ({ text: label.lines.join(' '), topic: label.topic, layer: label.layer, box: onPage(box) })),
    pictures: picturesDrawn.map(({ row, box }) => ({ row, box: onPage(box) })),
    matches: filter.passingCount,
    selected: selectedNumbers(),
    renderer: raster.used ? 'canvas' : 'webgl2',
    colorBy: colorName(),
    time: filter.time,
    dark: theme.dark,
  }),
  at: (row) => (hasPlace(row) ? onPage([...toScreen(columns.x[row], columns.y[row]), 0, 0]).slice(0, 2) : null),
  flyTo: (x, y, scale) => {
    flight = null;
    placeView(x, y, scale);
  },
  search: (query) => {
    byId('query').value = query;
    return runSearch(query);
  },
  select: selectShape,
  hover: (row) => showCard(row),
  lose: () => webgl.lost?.loseContext(),
  restore: () => webgl.lost?.restoreContext(),
});

async function start() {
  window.topicframe = outside;
  startTheme();
  showNote();
  await load();
  measureBounds();
  buildIndex();
  await loadPictures();
  refreshFilter();
  startColors();
  orderSlots();
  writeLooks();
  if (!startWebgl()) useRaster(true);
  for (const begin of [startFilter, startTopics, startSearch, startSelecting, startSelection, startTimeline, startInput, startDrawer]) begin();
  // A page that was made while hidden has no size yet.
  new ResizeObserver(([{ contentRect }]) => resizeView(contentRect.width, contentRect.height)).observe(byId('stage'));
  // Browsers may forget what a hidden page has drawn.
  document.addEventListener('visibilitychange', requestDraw);
  refreshFilter();
}

start().catch((error) => {
  byId('note').textContent = `The map cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
