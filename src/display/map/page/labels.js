// Labels of topics. Each has one range of scales in which it is drawn, so none appears twice or flickers.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
/** What labels leave free at the left and right edge of the map, in pixels. */
const EDGE = 6;
/** What is drawn now, with its boxes on the map. */
let labelsDrawn = [];
/** Groups that the list of topics points at. */
let pointedGroups = null;

function labelBox({ at, width, height }) {
  const [x, middle] = toScreen(at[0], at[1]);
  const y = middle + labelShift();
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
}

/** Where there are pictures, all labels move down: one is below the picture in the middle of its topic. */
const labelShift = () => (data.pictures ? pictureSide() / 2 + 14 : 0);

const isOnMap = ([left, top, right, bottom]) => right > 0 && bottom > 0 && left < view.width && top < view.height;

/** Whether rows of a label's topics are shown by the filter of topics. */
function isLabelShown({ topics }) {
  return !filter.groups || topics.some((group) => filter.groups[group]);
}

/** Labels of coarser topics give way to finer ones, unless their level is the one that was chosen. */
function isOfLevel({ layer, to }) {
  // Labels of the topics themselves are of layer 0.
  return level >= 0 ? layer === level + 1 : to === null || view.scale < to;
}

const isBeside = (a, b) => a[1] < b[3] && b[1] < a[3];
const isCovered = (box) => labelsDrawn.some(({ box: other }) => box[0] < other[2] && other[0] < box[2] && isBeside(box, other));

/** Where labels are now: before anything is drawn, since pictures fade under them. */
function placeLabels() {
  labelsDrawn = [];
  for (const label of data.labels) {
    if (view.scale < label.from || !isOfLevel(label)) continue;
    const box = labelBox(label);
    // Labels of a level are disjoint only within their own scales; beyond them, those of larger topics come first.
    if (!isOnMap(box) || (level >= 0 && isCovered(box))) continue;
    labelsDrawn.push({ label, box });
  }
  for (const drawn of labelsDrawn) drawn.box = movedIn(drawn);
}

/**
 * The box of a label, moved away from the left or right edge as far as there is room. Close to the edge it moves less, so
 * that it leaves the map together with its topic instead of jumping.
 */
function movedIn(drawn) {
  const { label, box } = drawn;
  const [x] = toScreen(label.at[0], label.at[1]);
  const wanted = (inside, hidden) => Math.max(Math.min(hidden, 3 * inside), 0);
  const right = wanted(x, EDGE - box[0]);
  const left = wanted(view.width - x, box[2] - view.width + EDGE);
  if (right > 0 === left > 0) return box;
  let room = Infinity;
  for (const { box: other } of labelsDrawn) {
    const gap = right > 0 ? other[0] - box[2] : box[0] - other[2];
    if (other !== box && gap > -1 && isBeside(box, other)) room = Math.min(room, Math.max(gap, 0));
  }
  const by = right > 0 ? Math.min(right, room) : -Math.min(left, room);
  return [box[0] + by, box[1], box[2] + by, box[3]];
}

/** How strongly a picture is drawn: fully, unless labels cover much of it. */
function strengthUnderLabels(box) {
  let covered = 0;
  for (const { box: other } of labelsDrawn) {
    const width = Math.min(box[2], other[2]) - Math.max(box[0], other[0]);
    const height = Math.min(box[3], other[3]) - Math.max(box[1], other[1]);
    if (width > 0 && height > 0) covered += width * height;
  }
  const share = covered / ((box[2] - box[0]) * (box[3] - box[1]));
  return 1 - 0.65 * Math.min(Math.max((share - 0.15) / 0.15, 0), 1);
}

function drawLabels(context) {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  for (const { label, box } of labelsDrawn) {
    context.globalAlpha = isLabelShown(label) ? 1 : 0.3;
    drawLabel(context, label, box);
  }
  context.globalAlpha = 1;
}

/** The font of a label; smaller if this system's letters are wider than there is room. */
function labelFont(context, label) {
  const font = (size) => `${label.layer > 0 ? 700 : 600} ${size}px ${FONT}`;
  if (!label.fitted) {
    context.font = font(label.font);
    const widest = Math.max(...label.lines.map((line) => context.measureText(line).width), 1);
    label.fitted = Math.max(label.font * Math.min(1, label.width / widest), label.font * 0.75);
  }
  return font(label.fitted);
}

function drawLabel(context, label, [left, top]) {
  const step = label.height / label.lines.length;
  context.font = labelFont(context, label);
  context.strokeStyle = theme.ground;
  context.fillStyle = theme.ink;
  const draw = (write) => label.lines.forEach((line, i) => write(line, left + label.width / 2, top + (i + 0.5) * step));
  // Two halos: a wide soft one separates the label from the points, a narrow one the letters.
  const alpha = context.globalAlpha;
  context.globalAlpha = alpha * 0.55;
  context.lineWidth = 6;
  draw((line, x, y) => context.strokeText(line, x, y, label.width));
  context.globalAlpha = alpha;
  context.lineWidth = 3;
  draw((line, x, y) => context.strokeText(line, x, y, label.width));
  draw((line, x, y) => context.fillText(line, x, y, label.width));
}

/** The topic that the list points at, on the map. */
function drawPointed(context) {
  if (!pointedGroups) return;
  for (const group of pointedGroups) {
    const topic = data.topics[group];
    if (!topic.at) continue;
    const [x, y] = toScreen(topic.at[0], topic.at[1]);
    drawTag(context, topic.label, x, y, topicColor(group));
  }
}

function drawTag(context, text, x, y, color) {
  context.font = `600 13px ${FONT}`;
  const shown = text.length > 40 ? `${text.slice(0, 39)}\u2026` : text;
  const width = Math.min(context.measureText(shown).width, 300) + 18;
  context.beginPath();
  context.roundRect(x - width / 2, y - 13, width, 26, 13);
  context.fillStyle = theme.ground;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = color;
  context.stroke();
  context.fillStyle = theme.ink;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(shown, x, y, 300);
}
