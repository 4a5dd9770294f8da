// The timeline: a histogram of the rows that topics and search show, and a brush that chooses a range of it.

const brush = { kind: null, origin: 0, start: null };
const lastBin = () => data.time.bins.length - 1;

function setTime(first, last) {
  const clamp = (bin) => Math.min(Math.max(bin, 0), lastBin());
  const range = [clamp(Math.min(first, last)), clamp(Math.max(first, last))];
  filter.time = range[0] === 0 && range[1] === lastBin() ? null : range;
  refreshFilter();
}

function clearTime() {
  filter.time = null;
  refreshFilter();
}

function timeRangeText() {
  const [first, last] = filter.time ?? [0, lastBin()];
  const { bins } = data.time;
  // The last period ends where the next one begins.
  if (data.time.period && last < lastBin()) return `from ${bins[first].label} to before ${bins[last + 1].label}`;
  return first === last ? bins[first].label : `${bins[first].label} \u2013 ${bins[last].label}`;
}

function drawTimeline() {
  const track = byId('time-track');
  const canvas = byId('time-bars');
  const { clientWidth: width, clientHeight: height } = track;
  if (!data.time || !width) return;
  canvas.width = Math.round(width * view.ratio);
  canvas.height = Math.round(height * view.ratio);
  const context = canvas.getContext('2d');
  context.scale(view.ratio, view.ratio);
  const bins = data.time.bins.length;
  const counts = filter.byBin.subarray(0, bins);
  const most = Math.max(1, ...counts);
  const [first, last] = filter.time ?? [0, bins - 1];
  const step = width / bins;
  counts.forEach((count, bin) => {
    if (!count) return;
    const high = Math.max((count / most) * (height - 2), 1);
    context.fillStyle = barColor(bin, bin >= first && bin <= last);
    context.fillRect(bin * step, height - high, Math.max(step - (step > 4 ? 1 : 0), 0.5), high);
  });
  placeBrush(step);
}

function barColor(bin, inside) {
  if (!inside) return theme.faint;
  return isByTime() ? keyColor(bin).color : theme.accent;
}

function placeBrush(step) {
  const [first, last] = filter.time ?? [0, lastBin()];
  const box = byId('time-brush');
  box.hidden = !filter.time;
  box.style.left = `${first * step}px`;
  box.style.width = `${(last + 1 - first) * step}px`;
  const { bins } = data.time;
  for (const [id, bin, edge] of [['time-from', first, first], ['time-to', last, last + 1]]) {
    const handle = byId(id);
    handle.style.left = `${edge * step}px`;
    handle.setAttribute('aria-valuemin', '0');
    handle.setAttribute('aria-valuemax', String(lastBin()));
    handle.setAttribute('aria-valuenow', String(bin));
    handle.setAttribute('aria-valuetext', bins[bin].label);
  }
  byId('time-range').textContent = timeRangeText();
  byId('time-clear').hidden = !filter.time;
}

const binAt = (event) => {
  const box = byId('time-track').getBoundingClientRect();
  return Math.floor(((event.clientX - box.left) / box.width) * (lastBin() + 1));
};

function beginBrush(event) {
  const range = filter.time ?? [0, lastBin()];
  brush.origin = binAt(event);
  brush.start = range;
  brush.kind = { 'time-from': 'from', 'time-to': 'to', 'time-brush': 'move' }[event.target.id] ?? 'new';
  byId('time-track').setPointerCapture(event.pointerId);
  if (brush.kind === 'new') setTime(brush.origin, brush.origin);
}

function continueBrush(event) {
  if (!brush.kind) return;
  const bin = binAt(event);
  const [first, last] = brush.start;
  view.movedAt = performance.now();
  if (brush.kind === 'new') setTime(brush.origin, bin);
  else if (brush.kind === 'from') setTime(Math.min(bin, last), last);
  else if (brush.kind === 'to') setTime(first, Math.max(bin, first));
  else moveTime(brush.start, bin - brush.origin);
}

/** Moves a range without making it shorter. */
function moveTime([first, last], by) {
  const step = Math.min(Math.max(by, -first), lastBin() - last);
  setTime(first + step, last + step);
}

function timeKey(event) {
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e6, End: 1e6 }[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  const [first, last] = filter.time ?? [0, lastBin()];
  if (event.target.id === 'time-from') setTime(Math.min(first + step, last), last);
  else if (event.target.id === 'time-to') setTime(first, Math.max(last + step, first));
  else moveTime([first, last], step);
}

function startTimeline() {
  if (!data.time || data.time.bins.length === 0) return;
  byId('timeline').hidden = false;
  byId('time-name').textContent = data.time.period ? `${data.time.column} (bins of ${data.time.period})` : data.time.column;
  const [from, to] = byId('time-ends').children;
  from.textContent = data.time.bins[0].label;
  to.textContent = data.time.bins[lastBin()].label;
  const track = byId('time-track');
  track.addEventListener('pointerdown', beginBrush);
  track.addEventListener('pointermove', continueBrush);
  for (const event of ['pointerup', 'pointercancel']) track.addEventListener(event, () => (brush.kind = null));
  track.addEventListener('keydown', timeKey);
  byId('time-clear').addEventListener('click', clearTime);
  for (const event of ['filter', 'theme', 'colors']) on(event, drawTimeline);
  new ResizeObserver(drawTimeline).observe(track);
}
