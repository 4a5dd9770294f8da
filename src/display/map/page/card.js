// The card of a document: it follows the pointer, and stays when the document is clicked.

const card = { row: -1, pinned: false };

/** Shows the card of `row`; resolves to its text. */
async function showCard(row, pinned = false) {
  if (card.row === row && card.pinned === pinned) return cardText();
  Object.assign(card, { row, pinned });
  const box = byId('card');
  box.replaceChildren(...cardParts(row, pinned));
  box.classList.toggle('pinned', pinned);
  box.hidden = false;
  placeCard();
  requestOver();
  const text = await texts.of(row);
  if (card.row !== row) return text;
  const paragraph = box.querySelector('.text');
  if (paragraph) {
    paragraph.textContent = text;
    paragraph.classList.remove('waiting');
  }
  placeCard();
  if (pinned) announce(`${text} ${topicOf(row).label}`);
  return text;
}

const cardText = () => byId('card').querySelector('.text')?.textContent ?? '';

function hideCard() {
  if (card.row < 0) return;
  Object.assign(card, { row: -1, pinned: false });
  byId('card').hidden = true;
  requestOver();
}

function cardParts(row, pinned) {
  const parts = [];
  const picture = pictureElement(row, Math.min(data.pictures ? 2 * data.pictures.side : 0, 144));
  if (picture) parts.push(element('div', { className: 'frame' }, picture));
  if (data.texts) parts.push(element('p', { className: 'text waiting', dir: 'auto' }, '\u2026'));
  parts.push(topicLine(row));
  const facts = element('dl');
  const fact = (name, value) => facts.append(element('div', {}, element('dt', {}, name), element('dd', { dir: 'auto' }, value)));
  if (columns.time) fact(data.time.column, data.time.bins[columns.time[row]]?.label ?? '\u2013');
  data.values.forEach((value, i) => fact(value.column, valueText(i, row) ?? '\u2013'));
  fact('row', String(rowNumber(row)));
  parts.push(facts);
  if (pinned) {
    const close = element('button', { type: 'button', className: 'close', title: 'Close', ariaLabel: 'Close' }, '\u00d7');
    close.addEventListener('click', hideCard);
    parts.push(close);
  }
  return parts;
}

function topicLine(row) {
  const { id, label } = topicOf(row);
  const mark = element('i');
  mark.style.background = topicColor(columns.groups[row]);
  const line = element('p', { className: 'topic' }, mark, element('span', { className: 'name' }, label));
  if (id >= 0) line.append(element('span', { className: 'id' }, `topic ${id}`));
  return line;
}

/** How wide the map is where no panel covers it. */
function freeWidth() {
  const panel = byId('selection');
  return panel.hidden || panel.offsetWidth > view.width / 2 ? view.width : panel.offsetLeft;
}

/** Beside the point, on the side where there is room. */
function placeCard() {
  const box = byId('card');
  if (box.hidden) return;
  if (!hasPlace(card.row)) {
    box.style.transform = 'translate(16px, 60px)';
    return;
  }
  const [x, y] = toScreen(columns.x[card.row], columns.y[card.row]);
  const reach = picturesDrawn.some(({ row }) => row === card.row) ? pictureSide() / 2 + 8 : 12;
  const { offsetWidth: width, offsetHeight: height } = box;
  const room = freeWidth();
  const left = x + reach + width + 8 <= room ? x + reach : x - reach - width;
  const top = y - height / 3;
  const within = (value, most) => Math.round(Math.max(8, Math.min(value, most)));
  box.style.transform = `translate(${within(left, room - width - 8)}px, ${within(top, view.height - height - 8)}px)`;
}

/** A ring around the point of the card. */
function drawRing(context) {
  if (card.row < 0 || !hasPlace(card.row)) return;
  const [x, y] = toScreen(columns.x[card.row], columns.y[card.row]);
  const drawn = picturesDrawn.find(({ row }) => row === card.row);
  context.beginPath();
  if (drawn) {
    const side = pictureSide() + 6;
    context.roundRect(x - side / 2, y - side / 2, side, side, 9);
  } else context.arc(x, y, shownStyle().size / 2 + 4, 0, 7);
  context.lineWidth = 5;
  context.strokeStyle = theme.ground;
  context.stroke();
  context.lineWidth = 2;
  context.strokeStyle = theme.ink;
  context.stroke();
}
