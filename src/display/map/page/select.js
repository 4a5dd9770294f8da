// Selecting on the map: a rectangle or a lasso is drawn, and its rows are combined with the selection.

const selecting = { tool: 'pan', operation: 'replace', path: null, shape: null, used: null };

function useTool(tool) {
  selecting.tool = tool;
  for (const button of document.querySelectorAll('[data-tool]')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  }
  byId('operations').hidden = tool === 'pan';
  byId('map').dataset.tool = tool;
}

function useOperation(operation) {
  selecting.operation = operation;
  showOperation(operation);
}

function showOperation(operation) {
  for (const button of document.querySelectorAll('[data-operation]')) {
    button.setAttribute('aria-pressed', String(button.dataset.operation === operation));
  }
}

/** What the next selection does: the keys decide before the buttons. */
function operationOf({ shiftKey, altKey }) {
  if (shiftKey && altKey) return 'intersect';
  if (shiftKey) return 'add';
  return altKey ? 'subtract' : selecting.operation;
}

function beginSelecting(px, py, event) {
  hideCard();
  // Without a tool, Shift alone draws a rectangle.
  selecting.shape = selecting.tool === 'pan' ? 'rectangle' : selecting.tool;
  selecting.used = operationOf(event);
  selecting.path = [[px, py]];
  showOperation(selecting.used);
}

function continueSelecting(px, py) {
  const { path, shape } = selecting;
  const [lastX, lastY] = path[path.length - 1];
  if (shape === 'rectangle') path[1] = [px, py];
  else if (Math.hypot(px - lastX, py - lastY) > 3) path.push([px, py]);
  requestOver();
}

function endSelecting() {
  const { path, shape, used } = selecting;
  cancelSelecting();
  if (path.length < (shape === 'rectangle' ? 2 : 3)) return;
  selectShape(shape, path.map(([px, py]) => toPlane(px, py)), used);
}

function cancelSelecting() {
  selecting.path = null;
  showOperation(selecting.operation);
  requestOver();
}

/** Selects the rows in a shape of the plane that topics, time and search show. */
function selectShape(shape, points, operation) {
  const rows = shape === 'rectangle' ? rectangleRows(points) : lassoRows(points);
  return combineSelection(rows.filter((row) => filter.passing[row]), operation);
}

function drawShape(context) {
  const { path, shape } = selecting;
  if (!path || path.length < 2) return;
  context.beginPath();
  if (shape === 'rectangle') {
    const [[x1, y1], [x2, y2]] = path;
    context.rect(x1, y1, x2 - x1, y2 - y1);
  } else {
    path.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
  }
  context.globalAlpha = 0.12;
  context.fillStyle = theme.accent;
  context.fill('evenodd');
  context.globalAlpha = 1;
  context.setLineDash([5, 4]);
  context.lineWidth = 1.5;
  context.strokeStyle = theme.accent;
  context.stroke();
  context.setLineDash([]);
}

function startSelecting() {
  for (const button of document.querySelectorAll('[data-tool]')) {
    button.addEventListener('click', () => useTool(button.dataset.tool));
  }
  for (const button of document.querySelectorAll('[data-operation]')) {
    button.addEventListener('click', () => useOperation(button.dataset.operation));
  }
  useTool('pan');
}
