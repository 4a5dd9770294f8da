// Pictures as points. Each has a level: it is drawn where the plane is large enough for all of its level to be apart.

const pictures = { rows: null, levels: null, byRow: new Map(), sheets: [], order: null };
const GAP = 6;
/** What is drawn now, with its boxes on the map, the nearest to the eye last. */
let picturesDrawn = [];
/** The highest level before the last change of scale, and when that was: what is new fades in. */
const fading = { settled: -1, limit: -1, since: -1e9 };
const FADE = 220;

async function loadPictures() {
  if (!data.pictures) return;
  pictures.rows = new Uint32Array((await inflatedBlock('tf-picture-rows')).buffer);
  pictures.levels = await inflatedBlock('tf-picture-levels');
  pictures.rows.forEach((row, i) => pictures.byRow.set(row, i));
  pictures.order = Array.from(pictures.rows.keys()).sort((a, b) => pictures.levels[a] - pictures.levels[b] || a - b);
  for (let sheet = 0; sheet < data.pictures.sheets; sheet += 1) decodeSheet(sheet);
}

async function decodeSheet(sheet) {
  const blob = new Blob([bytesOf(takeText(`tf-sheet-${sheet}`))], { type: 'image/jpeg' });
  try {
    pictures.sheets[sheet] = await createImageBitmap(blob);
  } catch {
    pictures.sheets[sheet] = null;
  }
  requestOver();
}

/** Where a picture is: its sheet, and its place there. */
function tileOf(picture) {
  const { across, side } = data.pictures;
  const inSheet = picture % (across * across);
  const sheet = pictures.sheets[Math.floor(picture / (across * across))];
  return sheet && { sheet, x: (inSheet % across) * side, y: Math.floor(inSheet / across) * side, side };
}

/** The side of a picture on the map: it grows with the zoom, but so slowly that pictures move apart all the same. */
function pictureSide() {
  const base = Math.min(view.width, view.height) < 480 ? 42 : 56;
  return Math.min(data.pictures.side, base * Math.max(view.scale / view.fit, 1) ** 0.2);
}

/** The highest level whose pictures do not overlap at this scale. */
function levelLimit() {
  return Math.floor(data.pictures.per_octave * Math.log2((view.scale * PLANE) / (pictureSide() + GAP)) + 1e-9);
}

function drawPictures(context, now) {
  picturesDrawn = [];
  if (!pictures.rows) return;
  const limit = levelLimit();
  if (limit !== fading.limit) {
    Object.assign(fading, { settled: Math.min(fading.limit, limit), limit, since: now });
    if (fading.settled < 0) fading.settled = limit;
  }
  const arrival = calm.matches ? 1 : Math.min((now - fading.since) / FADE, 1);
  const side = pictureSide();
  for (const picture of pictures.order) {
    if (pictures.levels[picture] > limit) break;
    const row = pictures.rows[picture];
    if (!filter.shown[row] || !hasPlace(row)) continue;
    const [x, y] = toScreen(columns.x[row], columns.y[row]);
    const box = [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
    const tile = isOnMap(box) && tileOf(picture);
    if (!tile) continue;
    picturesDrawn.push({ row, box });
    context.globalAlpha = pictures.levels[picture] > fading.settled ? arrival : 1;
    drawPicture(context, tile, box, rowColor(row), strengthUnderLabels(box));
  }
  context.globalAlpha = 1;
  if (arrival < 1) requestOver();
}

/** A picture in a frame of the color of its row; `strength` is that of the picture alone, so that points stay covered. */
function drawPicture(context, tile, [left, top, right], color, strength) {
  const side = right - left;
  context.save();
  context.beginPath();
  context.roundRect(left, top, side, side, 7);
  context.fillStyle = '#fff';
  context.fill();
  context.clip();
  context.globalAlpha *= strength;
  context.drawImage(tile.sheet, tile.x, tile.y, tile.side, tile.side, left + 2, top + 2, side - 4, side - 4);
  context.restore();
  context.beginPath();
  context.roundRect(left + 1, top + 1, side - 2, side - 2, 6);
  context.lineWidth = 2;
  context.strokeStyle = color;
  context.stroke();
}

/** The row whose picture is at a place of the map, or -1. */
function pictureAt(px, py) {
  const hit = picturesDrawn.find(({ box }) => px >= box[0] && px <= box[2] && py >= box[1] && py <= box[3]);
  return hit ? hit.row : -1;
}

/** A canvas with the picture of a row; `null` if it has none. */
function pictureElement(row, size) {
  const tile = pictures.byRow.has(row) && tileOf(pictures.byRow.get(row));
  if (!tile) return null;
  const pixels = Math.round(size * view.ratio);
  const canvas = element('canvas', { width: pixels, height: pixels, className: 'picture' });
  canvas.style.width = `${size}px`;
  canvas.style.height = `${size}px`;
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(tile.sheet, tile.x, tile.y, tile.side, tile.side, 0, 0, pixels, pixels);
  return canvas;
}
