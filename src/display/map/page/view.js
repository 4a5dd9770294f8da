// Where the map is looked at: a center in the plane and a scale, in CSS pixels per step of a coordinate.

const PLANE = 65534;
const LARGEST_SCALE = 2;
const view = { x: PLANE / 2, y: PLANE / 2, scale: 0.01, fit: 0.01, width: 0, height: 0, ratio: 1, untouched: true, movedAt: -1e9 };
/** The rectangle of all places. */
const bounds = { left: 0, top: 0, right: PLANE, bottom: PLANE };
let flight = null;

function measureBounds() {
  const { x, y } = columns;
  const found = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let row = 0; row < rowCount; row += 1) {
    if (x[row] === NOWHERE) continue;
    if (x[row] < found.left) found.left = x[row];
    if (x[row] > found.right) found.right = x[row];
    if (y[row] < found.top) found.top = y[row];
    if (y[row] > found.bottom) found.bottom = y[row];
  }
  if (found.left <= found.right) Object.assign(bounds, found);
}

const toScreen = (x, y) => [(x - view.x) * view.scale + view.width / 2, (y - view.y) * view.scale + view.height / 2];
const toPlane = (px, py) => [(px - view.width / 2) / view.scale + view.x, (py - view.height / 2) / view.scale + view.y];

function placeView(x, y, scale) {
  view.scale = Math.min(Math.max(scale, view.fit * 0.5), Math.max(LARGEST_SCALE, view.fit));
  view.x = Math.min(Math.max(x, bounds.left), bounds.right);
  view.y = Math.min(Math.max(y, bounds.top), bounds.bottom);
  view.movedAt = performance.now();
  view.untouched = false;
  requestDraw();
}

/** Center and scale that show a rectangle of the plane. */
function viewOf({ left, top, right, bottom }, padding) {
  const wide = Math.max(view.width - 2 * padding, 60) / Math.max(right - left, 1);
  const high = Math.max(view.height - 2 * padding, 60) / Math.max(bottom - top, 1);
  return [(left + right) / 2, (top + bottom) / 2, Math.min(wide, high, LARGEST_SCALE)];
}

/** All places, with room for the labels that are below theirs. */
function overview() {
  const padding = Math.min(view.width, view.height) < 480 ? 24 : 44;
  const below = labelShift() * 0.75;
  const [x, y, scale] = viewOf(bounds, padding + below / 2);
  return [x, y + below / 2 / scale, scale];
}

function showAll() {
  flyTo(...overview());
  view.untouched = true;
}

function resizeView(width, height) {
  view.width = width;
  view.height = height;
  view.ratio = Math.min(window.devicePixelRatio || 1, 3);
  if (!width || !height) return;
  const [x, y, scale] = overview();
  view.fit = scale;
  if (view.untouched) {
    placeView(x, y, scale);
    view.untouched = true;
    view.movedAt = -1e9;
  }
  requestDraw();
}

function panBy(dx, dy) {
  flight = null;
  placeView(view.x - dx / view.scale, view.y - dy / view.scale, view.scale);
}

/** Zooms by `factor`; what is at (px, py) stays there. */
function zoomAt(px, py, factor) {
  flight = null;
  const [x, y] = toPlane(px, py);
  const scale = Math.min(Math.max(view.scale * factor, view.fit * 0.5), Math.max(LARGEST_SCALE, view.fit));
  placeView(x - (px - view.width / 2) / scale, y - (py - view.height / 2) / scale, scale);
}

function zoomBy(factor) {
  flyTo(view.x, view.y, view.scale * factor, 200);
}

/** Moves there in a moment, or at once for who wants less motion. */
function flyTo(x, y, scale, duration = 500) {
  flight = null;
  const target = Math.min(Math.max(scale, view.fit * 0.5), Math.max(LARGEST_SCALE, view.fit));
  if (calm.matches || document.hidden) return placeView(x, y, target);
  flight = { from: [view.x, view.y, view.scale], to: [x, y, target], begun: performance.now(), duration };
  requestDraw();
}

/** One step of a flight. */
function fly(now) {
  if (!flight) return;
  const { from, to, begun, duration } = flight;
  const share = Math.min(Math.max((now - begun) / duration, 0), 1);
  const eased = share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2;
  const scale = from[2] * (to[2] / from[2]) ** eased;
  // In step with the scale, so that the way on the screen is straight.
  const left = Math.abs(to[2] / from[2] - 1) < 1e-3 ? 1 - eased : (1 / scale - 1 / to[2]) / (1 / from[2] - 1 / to[2]);
  const all = view.untouched;
  placeView(to[0] + (from[0] - to[0]) * left, to[1] + (from[1] - to[1]) * left, scale);
  view.untouched = all;
  if (share === 1) flight = null;
  else requestDraw();
}

/** Flies to where most rows of these topics are. */
function flyToGroups(groups) {
  const wanted = new Set(groups);
  let [n, sx, sy, sxx, syy] = [0, 0, 0, 0, 0];
  for (let row = 0; row < rowCount; row += 1) {
    if (!hasPlace(row) || !wanted.has(columns.groups[row])) continue;
    const [x, y] = [columns.x[row], columns.y[row]];
    n += 1;
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
  }
  if (!n) return;
  const [x, y] = [sx / n, sy / n];
  const spread = (sum, mean) => 2.2 * Math.sqrt(Math.max(sum / n - mean * mean, 0)) + 300;
  const [dx, dy] = [spread(sxx, x), spread(syy, y)];
  const [, , scale] = viewOf({ left: x - dx, right: x + dx, top: y - dy, bottom: y + dy }, 30);
  flyTo(x, y, Math.min(scale, view.fit * 14));
}

const reducedWhileMoving = (now) => now - view.movedAt < 150;
