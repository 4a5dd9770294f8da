// Pointer, wheel, touch and keyboard on the map.

const input = { pointers: new Map(), begun: null, moved: false, spread: 0, wheelUsed: false, hintTimer: 0 };
const isEmbedded = window.parent !== window;

/** The place of an event on the map. */
function placeOf(event) {
  const box = byId('map').getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** The row to show for a place: a picture there, or the nearest point. */
function rowAt(px, py, reach) {
  const pictured = pictureAt(px, py);
  return pictured >= 0 ? pictured : nearestRow(px, py, Math.max(reach, shownStyle().size / 2 + 2));
}

function pointerDown(event) {
  if (event.pointerType === 'mouse' && event.button !== 0) return;
  const place = placeOf(event);
  byId('map').setPointerCapture(event.pointerId);
  input.pointers.set(event.pointerId, place);
  input.wheelUsed = true;
  showHelp(false);
  flight = null;
  if (input.pointers.size === 2) {
    cancelSelecting();
    input.moved = true;
    input.spread = spreadOf();
    return;
  }
  input.begun = place;
  input.moved = false;
  if (selecting.tool !== 'pan' || event.shiftKey) beginSelecting(...place, event);
}

function pointerMove(event) {
  const place = placeOf(event);
  const before = input.pointers.get(event.pointerId);
  if (!before) return hover(place, event);
  if (!input.moved && Math.hypot(place[0] - input.begun[0], place[1] - input.begun[1]) < 4) return;
  input.moved = true;
  if (input.pointers.size === 2) return pinch(event.pointerId, place);
  input.pointers.set(event.pointerId, place);
  if (selecting.path) continueSelecting(...place);
  else {
    byId('map').classList.add('moving');
    panBy(place[0] - before[0], place[1] - before[1]);
  }
}

function spreadOf() {
  const [[x1, y1], [x2, y2]] = [...input.pointers.values()];
  return Math.max(Math.hypot(x1 - x2, y1 - y2), 1);
}

const middleOf = () => {
  const [[x1, y1], [x2, y2]] = [...input.pointers.values()];
  return [(x1 + x2) / 2, (y1 + y2) / 2];
};

function pinch(pointer, place) {
  const [x, y] = middleOf();
  input.pointers.set(pointer, place);
  const [newX, newY] = middleOf();
  panBy(newX - x, newY - y);
  const spread = spreadOf();
  zoomAt(newX, newY, spread / input.spread);
  input.spread = spread;
}

function pointerUp(event) {
  if (!input.pointers.delete(event.pointerId)) return;
  byId('map').classList.remove('moving');
  if (input.pointers.size) return;
  if (selecting.path && input.moved && event.type === 'pointerup') endSelecting();
  else {
    cancelSelecting();
    if (!input.moved && event.type === 'pointerup') press(event);
  }
}

/** A click keeps the card of what is there, or closes the one that is open. */
function press(event) {
  const row = rowAt(...placeOf(event), event.pointerType === 'touch' ? 18 : 8);
  if (row >= 0) showCard(row, true);
  else hideCard();
}

function hover(place, event) {
  if (card.pinned || event.pointerType === 'touch') return;
  const row = rowAt(...place, 10);
  if (row >= 0) showCard(row);
  else hideCard();
  byId('map').classList.toggle('over', row >= 0);
}

/** In a notebook, the wheel belongs to the notebook until the map has been clicked. */
function wheel(event) {
  if (isEmbedded && !input.wheelUsed && !event.ctrlKey && !event.metaKey) return showHint('Click the map, then scroll to zoom.');
  event.preventDefault();
  if (!card.pinned) hideCard();
  const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? view.height : 1;
  const amount = Math.max(-300, Math.min(300, event.deltaY * unit));
  zoomAt(...placeOf(event), Math.exp(-amount * (event.ctrlKey ? 0.008 : 0.0016)));
}

function showHint(text) {
  const hint = byId('hint');
  hint.textContent = text;
  hint.hidden = false;
  clearTimeout(input.hintTimer);
  input.hintTimer = setTimeout(() => (hint.hidden = true), 1400);
}

function mapKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = event.shiftKey ? 160 : 60;
  const actions = {
    ArrowLeft: () => panBy(step, 0),
    ArrowRight: () => panBy(-step, 0),
    ArrowUp: () => panBy(0, step),
    ArrowDown: () => panBy(0, -step),
    '+': () => zoomBy(1.5),
    '=': () => zoomBy(1.5),
    '-': () => zoomBy(1 / 1.5),
    0: showAll,
    Enter: showMiddle,
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

function showMiddle() {
  const row = nearestRow(view.width / 2, view.height / 2, 120);
  if (row >= 0) showCard(row, true);
}

/** Escape leaves one thing after another: a shape, the help, the card, the drawer, a tool, the selection. */
function escape() {
  if (selecting.path) cancelSelecting();
  else if (!byId('helped').hidden) showHelp(false);
  else if (card.row >= 0) hideCard();
  else if (byId('app').classList.contains('drawer')) closeDrawer();
  else if (selecting.tool !== 'pan') useTool('pan');
  else if (filter.selected) clearSelection();
}

function showHelp(shown) {
  byId('helped').hidden = !shown;
  byId('help').setAttribute('aria-expanded', String(shown));
}

function pageKey(event) {
  const typing = /^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== 'checkbox';
  if (event.key === 'Escape') return escape();
  if (event.key === '?' && !typing) return showHelp(byId('helped').hidden);
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey) return undefined;
  event.preventDefault();
  return byId('query').focus();
}

function startInput() {
  const map = byId('map');
  map.addEventListener('pointerdown', pointerDown);
  map.addEventListener('pointermove', pointerMove);
  map.addEventListener('pointerup', pointerUp);
  map.addEventListener('pointercancel', pointerUp);
  map.addEventListener('pointerleave', () => {
    input.wheelUsed = false;
    if (!card.pinned) hideCard();
  });
  map.addEventListener('wheel', wheel, { passive: false });
  map.addEventListener('dblclick', (event) => {
    const [px, py] = placeOf(event);
    const [x, y] = toPlane(px, py);
    const factor = event.shiftKey ? 0.5 : 2;
    flyTo(x - (px - view.width / 2) / (view.scale * factor), y - (py - view.height / 2) / (view.scale * factor), view.scale * factor, 250);
  });
  map.addEventListener('keydown', mapKey);
  document.addEventListener('keydown', pageKey);
  byId('help').addEventListener('click', () => showHelp(byId('helped').hidden));
  byId('zoom-in').addEventListener('click', () => zoomBy(1.6));
  byId('zoom-out').addEventListener('click', () => zoomBy(1 / 1.6));
  byId('zoom-all').addEventListener('click', showAll);
}
