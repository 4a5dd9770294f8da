// Which rows are where: a grid of 512 by 512 cells, sorted by counting.

const CELL = 7;
const CELLS = 512;
const index = { starts: null, rows: null };

function buildIndex() {
  const { x, y } = columns;
  const starts = new Uint32Array(CELLS * CELLS + 1);
  const cellOf = (row) => (y[row] >> CELL) * CELLS + (x[row] >> CELL);
  for (let row = 0; row < rowCount; row += 1) if (x[row] !== NOWHERE) starts[cellOf(row) + 1] += 1;
  for (let cell = 0; cell < CELLS * CELLS; cell += 1) starts[cell + 1] += starts[cell];
  const rows = new Uint32Array(starts[CELLS * CELLS]);
  const next = starts.slice();
  for (let row = 0; row < rowCount; row += 1) if (x[row] !== NOWHERE) rows[next[cellOf(row)]++] = row;
  Object.assign(index, { starts, rows });
}

/** Calls `visit` with each row in the cells that a rectangle of the plane touches. */
function visitRows({ left, top, right, bottom }, visit) {
  const cell = (value) => Math.min(Math.max(Math.floor(value), 0), PLANE) >> CELL;
  if (right < 0 || bottom < 0 || left > PLANE || top > PLANE) return;
  for (let row = cell(top); row <= cell(bottom); row += 1) {
    const first = index.starts[row * CELLS + cell(left)];
    const last = index.starts[row * CELLS + cell(right) + 1];
    for (let i = first; i < last; i += 1) visit(index.rows[i]);
  }
}

/** The nearest shown row within `reach` pixels of a place on the map, or -1. */
function nearestRow(px, py, reach) {
  const [x, y] = toPlane(px, py);
  const radius = reach / view.scale;
  let [nearest, least] = [-1, radius * radius];
  visitRows({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }, (row) => {
    if (!filter.shown[row]) return;
    const [dx, dy] = [columns.x[row] - x, columns.y[row] - y];
    const distance = dx * dx + dy * dy;
    if (distance <= least) [nearest, least] = [row, distance];
  });
  return nearest;
}

function rectangleRows([[x1, y1], [x2, y2]]) {
  const box = { left: Math.min(x1, x2), right: Math.max(x1, x2), top: Math.min(y1, y2), bottom: Math.max(y1, y2) };
  const found = [];
  visitRows(box, (row) => {
    const [x, y] = [columns.x[row], columns.y[row]];
    if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) found.push(row);
  });
  return found;
}

function lassoRows(points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const least = (values) => values.reduce((a, b) => Math.min(a, b));
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  const found = [];
  visitRows({ left: least(xs), right: most(xs), top: least(ys), bottom: most(ys) }, (row) => {
    if (isInside(columns.x[row], columns.y[row], points)) found.push(row);
  });
  return found;
}

/** Whether a place is inside a polygon, by the even-odd rule. */
function isInside(x, y, points) {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i, i += 1) {
    const [[xi, yi], [xj, yj]] = [points[i], points[j]];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
